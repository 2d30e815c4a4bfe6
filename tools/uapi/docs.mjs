/** Our own words about each generated export: what the numbers are and where they are used. */
export const tableDocs = {
  mapTypes: 'Map types: `map_type` of `map_create`.',
  progTypes: 'Program types: `prog_type` of `prog_load`.',
  attachTypes:
    'Attach types: `expected_attach_type` of `prog_load`, `attach_type` of `link_create` and `prog_attach`.',
  linkTypes: 'Link types: `type` of {@link linkInfo}.',
  commands: 'Commands of bpf(2); {@link attrLayout} has the layout of each.',
  mapFlags:
    'Flags of a map: `map_flags` of `map_create`, and access flags of `obj_get` and `…_get_fd_by_id`.',
  elemFlags: 'Flags of map element commands and helpers.',
  progFlags: 'Flags of a program: `prog_flags` of `prog_load`.',
  attachFlags: 'Flags of `prog_attach`, and of `link_create` where programs are ordered.',
  queryFlags: 'Flags of `prog_query`.',
  testRunFlags: 'Flags of `prog_test_run`.',
  kprobeMultiFlags: 'Flags of a kprobe.multi link: `kprobe_multi.flags` of `link_create`.',
  uprobeMultiFlags: 'Flags of an uprobe.multi link: `uprobe_multi.flags` of `link_create`.',
  netfilterFlags: 'Flags of a netfilter link: `netfilter.flags` of `link_create`.',
  xdpFlags: 'Flags of an XDP attachment: `flags` of `link_create`, and `IFLA_XDP_FLAGS` of rtnetlink.',
  statsTypes: 'Statistics that `enable_stats` turns on.',
  streamIds: 'Streams of a program that `prog_stream_read_by_fd` reads; not in kernel 6.12.',
  perfEventTypes: 'What a perf event link is attached to: `type` of its {@link linkInfoArms}.',
  taskFdTypes: 'What a perf event descriptor of a task is attached to: `fd_type` of `task_fd_query`.',
  cgroupIterOrders: 'Order in which a cgroup iterator walks.',
  buildIdStatuses: 'Status of an entry of a stack trace map made with `stack_build_id`.',
  xdpActions: 'Return values of an XDP program.',
  ringbufFlags: 'Flags of `bpf_ringbuf_submit`, `bpf_ringbuf_discard` and `bpf_ringbuf_output`.',
  ringbufQueries: 'Arguments of `bpf_ringbuf_query`.',
  pseudo:
    'Meanings of `src` in wide loads (`map_fd`, `map_value`, `btf_id`, `func`, …) and calls (`call`, `kfunc_call`). ' +
    'The two groups share numbers: ask by name.',
  coreRelocationKinds: "Kinds of CO-RE relocation, named as libbpf's debug log names them.",
  btfKinds: 'Kinds of BTF types.',
  btfFuncLinkages: 'Linkages of a BTF FUNC.',
  btfVarLinkages: 'Linkages of a BTF VAR.',
  btfIntEncodings: 'Encoding bits of a BTF INT.',
  errnos:
    'Error numbers, for the architectures that use the generic ones (x86, arm64, riscv, s390x and more), and ENOTSUPP, which bpf(2) lets out.',
  capabilities: 'Capabilities of a process (capabilities(7)).',
  perfTypes: 'Kinds of perf event: `type` of {@link perfEventAttr}.',
  perfSoftwareEvents: 'Software perf events: `config` for the type `software`.',
  perfHardwareEvents: 'Hardware perf events: `config` for the type `hardware`.',
  perfRecordTypes: 'Records in a perf buffer: `type` of {@link perfEventHeader}.',
  netfilterHooks: 'Hooks of netfilter: `netfilter.hooknum` of `link_create`.',
}

export const attrDocs = {
  map_create: 'Makes a map.',
  map_elem: 'Element of a map: its pointers are `key`, and `value` or `next_key` in one place.',
  map_batch: 'Many elements of a map at once.',
  prog_load: 'Loads a program.',
  obj: 'Pins an object, or opens a pinned one.',
  prog_attach: 'Attaches or detaches a program without a link.',
  prog_test_run: 'Runs a program on given input.',
  obj_id:
    'Walks the ids of objects, or opens an object by its id (`start_id`, `prog_id`, … are in one place).',
  obj_info: 'Asks for the information of an object.',
  prog_query: 'Lists the programs of an attach point.',
  raw_tracepoint: 'Attaches a program to a raw tracepoint, or a tracing program to its target.',
  btf_load: 'Loads BTF.',
  task_fd_query: "Asks what a task's perf event descriptor is attached to.",
  link_create: 'Makes a link; the fields after `flags` are in one place, one group for each kind of link.',
  link_update: 'Puts another program behind a link.',
  link_detach: 'Detaches a link that stays open.',
  enable_stats: 'Turns on statistics until the descriptor is closed.',
  iter_create: 'Opens an iterator.',
  prog_bind_map: 'Ties a map to the lifetime of a program.',
  token_create: 'Makes a token from a bpffs.',
  prog_stream_read: 'Reads a stream of a program.',
  prog_assoc_struct_ops: 'Ties a program to a struct_ops map.',
}

export const structDocs = {
  progInfo:
    'What `obj_get_info_by_fd` says of a program. `gpl_compatible` is not 0 where the licence is compatible (a bitfield).',
  mapInfo: 'What `obj_get_info_by_fd` says of a map.',
  btfInfo: 'What `obj_get_info_by_fd` says of BTF.',
  perfEventAttr:
    'Argument of perf_event_open(2). Its bitfields are one 64-bit `flags`; {@link perfEventAttrFlags} has their bits.',
  perfEventHeader: 'Head of a record in a perf buffer.',
  perfEventMmapPage:
    'First page of a mapped perf event: `data_head` and `data_tail` are read and written with barriers by whoever maps it.',
  nlmsghdr: 'Head of a netlink message.',
  nlmsgerr: 'Body of a netlink acknowledgement.',
  nlattr: 'Head of a netlink attribute.',
  sockaddrNl: 'Address of a netlink socket.',
  ifinfomsg: 'Body of a link message of rtnetlink.',
  tcmsg: 'Body of a traffic control message of rtnetlink.',
  rtmsg: 'Body of a route message of rtnetlink.',
  bpfFuncInfo: 'One record of `func_info` of `prog_load`.',
  bpfLineInfo: 'One record of `line_info` of `prog_load`.',
  bpfStackBuildId:
    'One entry of a stack trace map made with `stack_build_id`; `offset` and `ip` are in one place.',
}
