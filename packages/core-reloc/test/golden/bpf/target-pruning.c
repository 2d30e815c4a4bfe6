/* Candidates that differ in the members that only one of them has; see pruning.bpf.c. */
#include "core.h"
#define HAVE(type, name) type have_##name;

struct alpha___a { int shared; int only_a; };
struct alpha___b { long before; int shared; int only_b; };
struct beta___a { int shared; int only_a; };
struct beta___b { long before; int shared; };
struct gamma___a { long before; int shared; };
struct gamma___b { int shared; int only_b; };
struct delta___a { int shared; };
struct delta___b { long before; int only_b; };

HAVE(struct alpha___a, 1)
HAVE(struct alpha___b, 2)
HAVE(struct beta___a, 3)
HAVE(struct beta___b, 4)
HAVE(struct gamma___a, 5)
HAVE(struct gamma___b, 6)
HAVE(struct delta___a, 7)
HAVE(struct delta___b, 8)
