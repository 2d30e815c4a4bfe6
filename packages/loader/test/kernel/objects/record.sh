#!/bin/sh
# Builds the objects of the kernel tests, little-endian, and one of them big-endian. The bytes do not depend on the folder.
# Usage: packages/loader/test/kernel/objects/record.sh [clang] [llvm-strip]; recorded with clang and llvm-strip 19.1.7.
set -eu
cd "$(dirname "$0")"
clang=${1:-clang-19}
strip=${2:-llvm-strip-19}
flags="-g -O2 -mcpu=v3 -Wall -Werror -ffile-prefix-map=$PWD=. -fdebug-compilation-dir=."
for source in *.bpf.c; do
  # shellcheck disable=SC2086
  "$clang" $flags -target bpfel -c "$source" -o "${source%.c}.o"
  "$strip" -g "${source%.c}.o"
done
# shellcheck disable=SC2086
"$clang" $flags -target bpfeb -c tracer.bpf.c -o tracer.eb.bpf.o
"$strip" -g tracer.eb.bpf.o
