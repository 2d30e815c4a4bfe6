/* CO-RE reads of real kernel types, declared by hand as far as they are used, as programs do. */
#include "core.h"

typedef int pid_t;
typedef struct { int counter; } atomic_t;
typedef struct { u32 val; } kuid_t;
struct list_head { struct list_head *next, *prev; } PAI;
struct hlist_node { struct hlist_node *next; } PAI;
struct ns_common { u32 inum; } PAI;
struct pid_namespace { struct ns_common ns; u32 level; } PAI;
struct nsproxy { struct pid_namespace *pid_ns_for_children; } PAI;
struct upid { int nr; struct pid_namespace *ns; } PAI;
struct pid { u32 level; struct upid numbers[1]; } PAI;
struct cred { kuid_t uid, euid; u64 made_up; } PAI;
struct mm_struct { unsigned long total_vm; unsigned long arg_start; struct file *exe_file; } PAI;
struct qstr { const unsigned char *name; u32 len; } PAI;
struct dentry { struct dentry *d_parent; struct qstr d_name; } PAI;
struct path { void *mnt; struct dentry *dentry; } PAI;
struct inode { unsigned long i_ino; u16 i_mode; } PAI;
struct file { struct path f_path; struct inode *f_inode; u32 f_mode; } PAI;
struct fdtable { u32 max_fds; struct file **fd; } PAI;
struct files_struct { struct fdtable *fdt; } PAI;
struct sched_entity { u64 sum_exec_runtime; } PAI;
struct task_struct {
	pid_t pid, tgid;
	struct task_struct *real_parent, *group_leader;
	const struct cred *cred;
	struct mm_struct *mm;
	struct files_struct *files;
	struct nsproxy *nsproxy;
	struct pid *thread_pid;
	struct sched_entity se;
	struct list_head children;
	u64 start_time;
	char comm[16];
	u32 in_execve : 1;
	u32 sched_reset_on_fork : 1;
	u32 sched_contributes_to_load : 1;
	u32 __state;
} PAI;
struct task_struct___old { long state; } PAI;
struct task_struct___new { u32 __state; } PAI;

typedef u16 __be16;
struct sock_common {
	u16 skc_family;
	u16 skc_num;
	__be16 skc_dport;
	u8 skc_reuse : 4;
	u8 skc_reuseport : 1;
	u8 skc_ipv6only : 1;
	int skc_bound_dev_if;
} PAI;
struct sock { struct sock_common __sk_common; u8 sk_shutdown; u16 sk_protocol; int sk_rcvbuf; } PAI;
struct sk_buff {
	u32 len, data_len;
	u16 mac_len;
	u8 cloned : 1, nohdr : 1, pkt_type : 3, ip_summed : 2;
	unsigned char *head, *data;
	u32 mark;
	u16 transport_header;
} PAI;
struct tcp_sock { u32 snd_cwnd; u8 nonagle : 4; u32 rtt_min_missing; } PAI;
struct iphdr { u8 ihl : 4, version : 4; u8 ttl; u16 tot_len; } PAI;
struct kernfs_node { u64 id; const char *name; } PAI;
struct kernfs_node___old { struct { u32 ino; } id; } PAI;
struct request { u32 __data_len; void *rq_disk; } PAI;
struct request_queue { void *disk; } PAI;
struct bio { u32 bi_opf; void *bi_bdev; } PAI;
struct trace_event_raw_sys_enter { long id; unsigned long args[6]; } PAI;
struct trace_event_raw_sched_switch { char prev_comm[16]; pid_t prev_pid; long prev_state; } PAI;
struct bpf_map { u32 id; u32 max_entries; char name[16]; } PAI;
struct bpf_ringbuf { unsigned long mask; char data[]; } PAI;
struct not_in_any_kernel { int x; } PAI;
union bpf_attr { struct { u32 map_type; }; } PAI;

enum bpf_func_id { BPF_FUNC_unspec, BPF_FUNC_map_lookup_elem = 1, BPF_FUNC_loop = 181, BPF_FUNC_made_up = 9999 };
enum bpf_map_type { BPF_MAP_TYPE_RINGBUF = 27, BPF_MAP_TYPE_ARENA = 33 };
enum pid_type { PIDTYPE_PID, PIDTYPE_TGID = 1 };

typedef u64 (*btf_bpf_map_lookup_elem)(struct bpf_map *, const void *);
typedef int (*initcall_t)(void);

#define PROG(name, body) SEC("raw_tp/" #name) u64 name(u64 *ctx) { body }
#define VALUE(name, expression) PROG(name, return (u64)(expression);)

PROG(task_direct,
	struct task_struct *t = (void *)ctx[0];
	return t->pid + t->tgid + t->start_time + t->comm[3] + t->se.sum_exec_runtime + t->__state;)
PROG(task_chain,
	struct task_struct *t = (void *)ctx[0];
	return t->real_parent->group_leader->cred->euid.val + t->mm->total_vm + t->mm->arg_start
		+ t->files->fdt->max_fds + t->nsproxy->pid_ns_for_children->ns.inum;)
PROG(pid_numbers, struct task_struct *t = (void *)ctx[0]; return t->thread_pid->numbers[0].nr;)
PROG(list, struct task_struct *t = (void *)ctx[0]; return (u64)t->children.next->prev;)
PROG(state_either,
	struct task_struct___new *t = (void *)ctx[0];
	if (FIELD(t->__state, FIELD_EXISTS))
		return t->__state;
	return ((struct task_struct___old *)t)->state;)
PROG(paths,
	struct file *f = (void *)ctx[0];
	return f->f_inode->i_ino + f->f_inode->i_mode + f->f_path.dentry->d_name.len + f->f_mode
		+ (u64)f->f_path.dentry->d_parent->d_name.name;)
PROG(fd_table, struct fdtable *t = (void *)ctx[0]; return (u64)t->fd[2];)
PROG(sock, struct sock *s = (void *)ctx[0];
	return s->__sk_common.skc_family + s->__sk_common.skc_dport + s->sk_shutdown + s->sk_protocol + s->sk_rcvbuf
		+ s->__sk_common.skc_bound_dev_if;)
PROG(skb, struct sk_buff *s = (void *)ctx[0]; return s->len + s->data_len + s->mac_len + s->mark + *s->data;)
PROG(skb_store, struct sk_buff *s = (void *)ctx[0]; s->mark = 5; return 0;)
PROG(trace_args, struct trace_event_raw_sys_enter *e = (void *)ctx; return e->id + e->args[5];)
PROG(trace_switch, struct trace_event_raw_sched_switch *e = (void *)ctx; return e->prev_pid + e->prev_state;)
PROG(ringbuf_flexible, struct bpf_ringbuf *r = (void *)ctx[0]; return r->mask + r->data[100];)
PROG(map_name, struct bpf_map *m = (void *)ctx[0]; return m->id + m->max_entries + m->name[7];)
PROG(attr, union bpf_attr *a = (void *)ctx[0]; return a->map_type;)
PROG(gone, return ((struct cred *)ctx)->made_up;)
PROG(gone_struct, return ((struct not_in_any_kernel *)ctx)->x;)
PROG(request_disk, return (u64)((struct request *)ctx)->rq_disk;)
PROG(queue_disk, return (u64)((struct request_queue *)ctx)->disk;)
PROG(kernfs_new, return ((struct kernfs_node *)ctx)->id;)
PROG(kernfs_old, return ((struct kernfs_node___old *)ctx)->id.ino;)
PROG(bio, return ((struct bio *)ctx)->bi_opf + (u64)((struct bio *)ctx)->bi_bdev;)

#define BITS(type, member)                                        \
	VALUE(off_##type##_##member, FIELD(AT(struct type)->member, BYTE_OFF))     \
	VALUE(sz_##type##_##member, FIELD(AT(struct type)->member, BYTE_SZ))       \
	VALUE(exists_##type##_##member, FIELD(AT(struct type)->member, FIELD_EXISTS)) \
	VALUE(signed_##type##_##member, FIELD(AT(struct type)->member, SIGNED))    \
	VALUE(lshift_##type##_##member, FIELD(AT(struct type)->member, LSHIFT_U64)) \
	VALUE(rshift_##type##_##member, FIELD(AT(struct type)->member, RSHIFT_U64))
BITS(task_struct, in_execve)
BITS(task_struct, sched_reset_on_fork)
BITS(task_struct, sched_contributes_to_load)
BITS(sock_common, skc_reuse)
BITS(sock_common, skc_ipv6only)
BITS(sk_buff, pkt_type)
BITS(sk_buff, ip_summed)
BITS(sk_buff, cloned)
BITS(sk_buff, transport_header)
BITS(tcp_sock, nonagle)
BITS(iphdr, version)
BITS(task_struct, pid)

#define TYPE(name, type)                     \
	VALUE(exists_##name, TYPE_EXISTS(type))     \
	VALUE(size_##name, TYPE_SIZE(type))         \
	VALUE(matches_##name, TYPE_MATCHES(type))   \
	VALUE(target_id_##name, TARGET_ID(type))
TYPE(list_head, struct list_head)
TYPE(hlist_node, struct hlist_node)
TYPE(qstr, struct qstr)
TYPE(task_struct, struct task_struct)
TYPE(task_struct_old, struct task_struct___old)
TYPE(unknown, struct not_in_any_kernel)
TYPE(bpf_attr, union bpf_attr)
TYPE(func_id, enum bpf_func_id)
TYPE(atomic, atomic_t)
TYPE(kuid, kuid_t)
TYPE(pid, pid_t)
TYPE(lookup, btf_bpf_map_lookup_elem)
TYPE(initcall, initcall_t)
VALUE(local_id_file, LOCAL_ID(struct file))

#define ENUMVAL(name, type, value)                       \
	VALUE(exists_##name, ENUMVAL_EXISTS(type, value))       \
	VALUE(value_##name, ENUMVAL_VALUE(type, value))
ENUMVAL(func_loop, enum bpf_func_id, BPF_FUNC_loop)
ENUMVAL(func_made_up, enum bpf_func_id, BPF_FUNC_made_up)
ENUMVAL(map_ringbuf, enum bpf_map_type, BPF_MAP_TYPE_RINGBUF)
ENUMVAL(map_arena, enum bpf_map_type, BPF_MAP_TYPE_ARENA)
ENUMVAL(pidtype, enum pid_type, PIDTYPE_TGID)

char _license[] SEC("license") = "GPL";
