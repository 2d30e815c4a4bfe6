import type { HelperFunction } from './helpers.ts'

/** Helpers of packets and sockets: what each takes in `r1` to `r5` and gives in `r0`. */
export interface NetworkHelpers {
  /** Writes into a packet. r1 `skb`: the context; r2 `offset`; r3 `from`: pointer to the bytes; r4 `len`; r5 `flags`: 0, BPF_F_RECOMPUTE_CSUM or BPF_F_INVALIDATE_HASH. r0: 0 or a negative errno; packet pointers are lost. */
  readonly skb_store_bytes: HelperFunction
  /** Reads from a packet. r1 `skb`: the context; r2 `offset`; r3 `to`: where it goes; r4 `len`. r0: 0 or a negative errno. */
  readonly skb_load_bytes: HelperFunction
  /** Reads from a packet, from one of its headers on. r1 `skb`: the context; r2 `offset`; r3 `to`: where it goes; r4 `len`; r5 `start_header`: BPF_HDR_START_MAC or BPF_HDR_START_NET. r0: 0 or a negative errno. */
  readonly skb_load_bytes_relative: HelperFunction
  /** Corrects the checksum of an IP header. r1 `skb`: the context; r2 `offset`: of the checksum; r3 `from`: old field, or 0; r4 `to`: new field, or a difference; r5 `size`: 2, 4, or 0 for a difference. r0: 0 or a negative errno; packet pointers are lost. */
  readonly l3_csum_replace: HelperFunction
  /** Corrects the checksum of TCP, UDP or ICMP. r1 `skb`: the context; r2 `offset`: of the checksum; r3 `from`: old field, or 0; r4 `to`: new field, or a difference; r5 `flags`: the field's size and BPF_F_*. r0: 0 or a negative errno; packet pointers are lost. */
  readonly l4_csum_replace: HelperFunction
  /** Difference of checksums between two buffers. r1 `from`: the old one, or 0; r2 `from_size`: a multiple of 4; r3 `to`: the new one, or 0; r4 `to_size`: a multiple of 4; r5 `seed`: to start from. r0: it, or a negative errno. */
  readonly csum_diff: HelperFunction
  /** Adds to the checksum of a whole packet. r1 `skb`: the context; r2 `csum`. r0: the checksum, or a negative errno. */
  readonly csum_update: HelperFunction
  /** Changes to which header a packet is known to be right. r1 `skb`: the context; r2 `level`: BPF_CSUM_LEVEL_*. r0: the level when asked, 0, or a negative errno. */
  readonly csum_level: HelperFunction
  /** Sends a copy of a packet by another device. r1 `skb`: the context; r2 `ifindex`; r3 `flags`: 0 or BPF_F_INGRESS. r0: 0 or a negative errno; packet pointers are lost. */
  readonly clone_redirect: HelperFunction
  /** Sends the packet by another device, where its value is returned. r1 `ifindex`; r2 `flags`: 0 or BPF_F_INGRESS. r0: the action to return. */
  readonly redirect: HelperFunction
  /** Sends the packet to an entry of a map, where its value is returned. r1 `map`: a devmap, cpumap or xskmap; r2 `key`; r3 `flags`: the action where there is none, and BPF_F_*. r0: the action to return. */
  readonly redirect_map: HelperFunction
  /** Sends the packet by another device with its neighbour's address. r1 `ifindex`; r2 `params`: struct bpf_redir_neigh, or 0; r3 `plen`: its bytes, or 0; r4 `flags`: 0. r0: the action to return. */
  readonly redirect_neigh: HelperFunction
  /** Hands the packet to the other end of a veth pair. r1 `ifindex`: of this end; r2 `flags`: 0. r0: the action to return. */
  readonly redirect_peer: HelperFunction
  /** Puts a VLAN tag on a packet. r1 `skb`: the context; r2 `vlan_proto`: ETH_P_8021Q or ETH_P_8021AD in network order; r3 `vlan_tci`. r0: 0 or a negative errno; packet pointers are lost. */
  readonly skb_vlan_push: HelperFunction
  /** Takes the VLAN tag off a packet. r1 `skb`: the context. r0: 0 or a negative errno; packet pointers are lost. */
  readonly skb_vlan_pop: HelperFunction
  /** Reads the tunnel that a packet came by. r1 `skb`: the context; r2 `key`: where struct bpf_tunnel_key goes; r3 `size`: its bytes; r4 `flags`: BPF_F_TUNINFO_*. r0: 0 or a negative errno. */
  readonly skb_get_tunnel_key: HelperFunction
  /** Sets the tunnel that a packet goes by. r1 `skb`: the context; r2 `key`: struct bpf_tunnel_key; r3 `size`: its bytes; r4 `flags`: BPF_F_*. r0: 0 or a negative errno. */
  readonly skb_set_tunnel_key: HelperFunction
  /** Reads the options of the tunnel. r1 `skb`: the context; r2 `opt`: where they go; r3 `size`: bytes there. r0: their bytes, or a negative errno. */
  readonly skb_get_tunnel_opt: HelperFunction
  /** Sets the options of the tunnel. r1 `skb`: the context; r2 `opt`: pointer to them; r3 `size`: bytes. r0: 0 or a negative errno. */
  readonly skb_set_tunnel_opt: HelperFunction
  /** Makes an IPv4 packet an IPv6 one, or back; its headers are the program's to write. r1 `skb`: the context; r2 `proto`: ETH_P_IP or ETH_P_IPV6 in network order; r3 `flags`: 0. r0: 0 or a negative errno; packet pointers are lost. */
  readonly skb_change_proto: HelperFunction
  /** Says for whom a packet is. r1 `skb`: the context; r2 `type`: PACKET_HOST and others. r0: 0 or a negative errno. */
  readonly skb_change_type: HelperFunction
  /** Cuts a packet, or makes it longer, at its end. r1 `skb`: the context; r2 `len`: of the whole; r3 `flags`: 0. r0: 0 or a negative errno; packet pointers are lost. */
  readonly skb_change_tail: HelperFunction
  /** Makes room in front of a packet. r1 `skb`: the context; r2 `len`: bytes to add; r3 `flags`: 0. r0: 0 or a negative errno; packet pointers are lost. */
  readonly skb_change_head: HelperFunction
  /** Makes or takes room between headers. r1 `skb`: the context; r2 `len_diff`: bytes, negative to take; r3 `mode`: BPF_ADJ_ROOM_NET or BPF_ADJ_ROOM_MAC; r4 `flags`: BPF_F_ADJ_ROOM_*. r0: 0 or a negative errno; packet pointers are lost. */
  readonly skb_adjust_room: HelperFunction
  /** Makes the start of a packet readable directly. r1 `skb`: the context; r2 `len`: bytes, 0 for all. r0: 0 or a negative errno; packet pointers are lost. */
  readonly skb_pull_data: HelperFunction
  /** Whether a packet's socket is below a cgroup. r1 `skb`: the context; r2 `map`: a cgroup_array; r3 `index`: its entry. r0: 1, 0 or a negative errno. */
  readonly skb_under_cgroup: HelperFunction
  /** The packet's hash, computed where it has none. r1 `skb`: the context. r0: it. */
  readonly get_hash_recalc: HelperFunction
  /** Has the packet's hash computed anew when it is asked for. r1 `skb`: the context. r0: nothing. */
  readonly set_hash_invalid: HelperFunction
  /** Sets the packet's hash. r1 `skb`: the context; r2 `hash`. r0: 0. */
  readonly set_hash: HelperFunction
  /** Class of the net_cls cgroup of a packet's task. r1 `skb`: the context. r0: it, or 0. */
  readonly get_cgroup_classid: HelperFunction
  /** Class of the net_cls cgroup of a packet's socket. r1 `skb`: the context. r0: it, or 0. */
  readonly skb_cgroup_classid: HelperFunction
  /** Realm of the packet's route. r1 `skb`: the context. r0: it, or 0. */
  readonly get_route_realm: HelperFunction
  /** A number that stands for the packet's socket as long as it lives. r1 `skb`: the context. r0: it, or 0. */
  readonly get_socket_cookie: HelperFunction
  /** Owner of the packet's socket. r1 `skb`: the context. r0: the uid. */
  readonly get_socket_uid: HelperFunction
  /** Id of the cgroup of a packet's socket. r1 `skb`: the context. r0: it, or 0. */
  readonly skb_cgroup_id: HelperFunction
  /** Id of a cgroup above that of a packet's socket. r1 `skb`: the context; r2 `ancestor_level`: 0 is the root. r0: it, or 0. */
  readonly skb_ancestor_cgroup_id: HelperFunction
  /** Id of a socket's cgroup. r1 `sk`: the socket. r0: it, or 0. */
  readonly sk_cgroup_id: HelperFunction
  /** Id of a cgroup above a socket's. r1 `sk`: the socket; r2 `ancestor_level`: 0 is the root. r0: it, or 0. */
  readonly sk_ancestor_cgroup_id: HelperFunction
  /** A number that stands for the network namespace. r1 `ctx`: the context, or 0 for the first namespace. r0: it. */
  readonly get_netns_cookie: HelperFunction
  /** Says that congestion was met. r1 `skb`: the context. r0: 1 where the packet says so, 0 where it cannot. */
  readonly skb_ecn_set_ce: HelperFunction
  /** Sets when a packet was sent, or is to be. r1 `skb`: the context; r2 `tstamp`: nanoseconds; r3 `tstamp_type`: BPF_SKB_TSTAMP_*. r0: 0 or a negative errno. */
  readonly skb_set_tstamp: HelperFunction
  /** Reads a state of IPsec that a packet went through. r1 `skb`: the context; r2 `index`: which; r3 `xfrm_state`: where it goes; r4 `size`: its bytes; r5 `flags`: 0. r0: 0 or a negative errno. */
  readonly skb_get_xfrm_state: HelperFunction
  /** Sends bytes to user space by a perf buffer, from tracing of packets. r1 `ctx`: pointer to the sk_buff; r2 `map`: a perf_event_array; r3 `flags`: index, or BPF_F_CURRENT_CPU, and bytes of the packet above; r4 `data`; r5 `size`. r0: 0 or a negative errno. */
  readonly skb_output: HelperFunction

  /** Moves the start of a packet. r1 `xdp_md`: the context; r2 `delta`: bytes, negative to grow. r0: 0 or a negative errno; packet pointers are lost. */
  readonly xdp_adjust_head: HelperFunction
  /** Moves the end of a packet. r1 `xdp_md`: the context; r2 `delta`: bytes, negative to cut. r0: 0 or a negative errno; packet pointers are lost. */
  readonly xdp_adjust_tail: HelperFunction
  /** Moves the start of the metadata in front of a packet. r1 `xdp_md`: the context; r2 `delta`: bytes, negative to grow. r0: 0 or a negative errno; packet pointers are lost. */
  readonly xdp_adjust_meta: HelperFunction
  /** Bytes of a packet, all of its buffers. r1 `xdp_md`: the context. r0: them. */
  readonly xdp_get_buff_len: HelperFunction
  /** Reads from a packet of any number of buffers. r1 `xdp_md`: the context; r2 `offset`; r3 `buf`: where it goes; r4 `len`. r0: 0 or a negative errno. */
  readonly xdp_load_bytes: HelperFunction
  /** Writes into a packet of any number of buffers. r1 `xdp_md`: the context; r2 `offset`; r3 `buf`: pointer to the bytes; r4 `len`. r0: 0 or a negative errno. */
  readonly xdp_store_bytes: HelperFunction
  /** Sends bytes to user space by a perf buffer, from tracing of XDP. r1 `ctx`: pointer to the xdp_buff; r2 `map`: a perf_event_array; r3 `flags`: index, or BPF_F_CURRENT_CPU, and bytes of the packet above; r4 `data`; r5 `size`. r0: 0 or a negative errno. */
  readonly xdp_output: HelperFunction
  /** Looks up a route. r1 `ctx`: the context; r2 `params`: struct bpf_fib_lookup, read and filled; r3 `plen`: its bytes; r4 `flags`: BPF_FIB_LOOKUP_*. r0: 0, BPF_FIB_LKUP_RET_* or a negative errno. */
  readonly fib_lookup: HelperFunction
  /** Whether a packet fits a device. r1 `ctx`: the context; r2 `ifindex`: 0 for its own; r3 `mtu_len`: 4 bytes with a length or 0, which get the limit; r4 `len_diff`: bytes to be added; r5 `flags`: BPF_MTU_CHK_*. r0: 0, BPF_MTU_CHK_RET_* or a negative errno. */
  readonly check_mtu: HelperFunction

  /** Puts headers of a tunnel around a packet. r1 `skb`: the context; r2 `type`: BPF_LWT_ENCAP_*; r3 `hdr`: pointer to them; r4 `len`. r0: 0 or a negative errno; packet pointers are lost. */
  readonly lwt_push_encap: HelperFunction
  /** Writes into the segment routing header. r1 `skb`: the context; r2 `offset`; r3 `from`: pointer to the bytes; r4 `len`. r0: 0 or a negative errno; packet pointers are lost. */
  readonly lwt_seg6_store_bytes: HelperFunction
  /** Makes or takes room for options of segment routing. r1 `skb`: the context; r2 `offset`; r3 `delta`: bytes. r0: 0 or a negative errno; packet pointers are lost. */
  readonly lwt_seg6_adjust_srh: HelperFunction
  /** Does an action of segment routing. r1 `skb`: the context; r2 `action`: SEG6_LOCAL_ACTION_*; r3 `param`: what it needs; r4 `param_len`. r0: 0 or a negative errno; packet pointers are lost. */
  readonly lwt_seg6_action: HelperFunction

  /** Sets an option of a socket. r1 `bpf_socket`: the context or a socket; r2 `level`: SOL_*; r3 `optname`; r4 `optval`: pointer to the value; r5 `optlen`: its bytes. r0: 0 or a negative errno. */
  readonly setsockopt: HelperFunction
  /** Reads an option of a socket. r1 `bpf_socket`: the context or a socket; r2 `level`: SOL_*; r3 `optname`; r4 `optval`: where it goes; r5 `optlen`: bytes there. r0: 0 or a negative errno. */
  readonly getsockopt: HelperFunction
  /** Binds a socket to an address before it connects. r1 `ctx`: the context; r2 `addr`: struct sockaddr, port 0; r3 `addr_len`: its bytes. r0: 0 or a negative errno. */
  readonly bind: HelperFunction
  /** Says for which events of TCP the program is called. r1 `bpf_sock`: the context; r2 `argval`: BPF_SOCK_OPS_*_CB_FLAG. r0: what could not be set, or a negative errno. */
  readonly sock_ops_cb_flags_set: HelperFunction
  /** Puts a socket into a map. r1 `skops`: the context; r2 `map`: a sockmap; r3 `key`: pointer to it; r4 `flags`: BPF_ANY, BPF_NOEXIST or BPF_EXIST. r0: 0 or a negative errno. */
  readonly sock_map_update: HelperFunction
  /** Puts a socket into a hash. r1 `skops`: the context; r2 `map`: a sockhash; r3 `key`: pointer to it; r4 `flags`: BPF_ANY, BPF_NOEXIST or BPF_EXIST. r0: 0 or a negative errno. */
  readonly sock_hash_update: HelperFunction
  /** Sends the packet to a socket of a map, where its value is returned. r1 `skb`: the context; r2 `map`: a sockmap; r3 `key`; r4 `flags`: 0 or BPF_F_INGRESS. r0: SK_PASS or SK_DROP. */
  readonly sk_redirect_map: HelperFunction
  /** Sends the packet to a socket of a hash, where its value is returned. r1 `skb`: the context; r2 `map`: a sockhash; r3 `key`: pointer to it; r4 `flags`: 0 or BPF_F_INGRESS. r0: SK_PASS or SK_DROP. */
  readonly sk_redirect_hash: HelperFunction
  /** Sends the message to a socket of a map, where its value is returned. r1 `msg`: the context; r2 `map`: a sockmap; r3 `key`; r4 `flags`: 0 or BPF_F_INGRESS. r0: SK_PASS or SK_DROP. */
  readonly msg_redirect_map: HelperFunction
  /** Sends the message to a socket of a hash, where its value is returned. r1 `msg`: the context; r2 `map`: a sockhash; r3 `key`: pointer to it; r4 `flags`: 0 or BPF_F_INGRESS. r0: SK_PASS or SK_DROP. */
  readonly msg_redirect_hash: HelperFunction
  /** Has the verdict hold for so many bytes. r1 `msg`: the context; r2 `bytes`. r0: 0. */
  readonly msg_apply_bytes: HelperFunction
  /** Waits for so many bytes before the program is called again. r1 `msg`: the context; r2 `bytes`. r0: 0. */
  readonly msg_cork_bytes: HelperFunction
  /** Makes a part of a message readable directly. r1 `msg`: the context; r2 `start`; r3 `end`; r4 `flags`: 0. r0: 0 or a negative errno; packet pointers are lost. */
  readonly msg_pull_data: HelperFunction
  /** Makes room in a message. r1 `msg`: the context; r2 `start`; r3 `len`; r4 `flags`: 0. r0: 0 or a negative errno; packet pointers are lost. */
  readonly msg_push_data: HelperFunction
  /** Takes bytes out of a message. r1 `msg`: the context; r2 `start`; r3 `len`; r4 `flags`: 0. r0: 0 or a negative errno; packet pointers are lost. */
  readonly msg_pop_data: HelperFunction
  /** Chooses the socket of a group that gets the packet. r1 `reuse`: the context; r2 `map`: a reuseport_sockarray, sockmap or sockhash; r3 `key`: pointer to it; r4 `flags`: 0. r0: 0 or a negative errno. */
  readonly sk_select_reuseport: HelperFunction
  /** Finds a TCP socket, to be released. r1 `ctx`: the context; r2 `tuple`: addresses and ports; r3 `tuple_size`: of IPv4 or IPv6; r4 `netns`: id, or BPF_F_CURRENT_NETNS; r5 `flags`: 0. r0: pointer to it, or 0. */
  readonly sk_lookup_tcp: HelperFunction
  /** Finds a UDP socket, to be released. r1 `ctx`: the context; r2 `tuple`: addresses and ports; r3 `tuple_size`: of IPv4 or IPv6; r4 `netns`: id, or BPF_F_CURRENT_NETNS; r5 `flags`: 0. r0: pointer to it, or 0. */
  readonly sk_lookup_udp: HelperFunction
  /** Finds a TCP socket of any state, to be released. r1 `ctx`: the context; r2 `tuple`: addresses and ports; r3 `tuple_size`: of IPv4 or IPv6; r4 `netns`: id, or BPF_F_CURRENT_NETNS; r5 `flags`: 0. r0: pointer to it, or 0. */
  readonly skc_lookup_tcp: HelperFunction
  /** Releases a socket that was looked up. r1 `sock`. r0: 0 or a negative errno. */
  readonly sk_release: HelperFunction
  /** Gives the packet, or connection, to a socket. r1 `skb`: the context; r2 `sk`: the socket; r3 `flags`: 0, or BPF_SK_LOOKUP_F_*. r0: 0 or a negative errno. */
  readonly sk_assign: HelperFunction
  /** The full socket behind one. r1 `sk`. r0: pointer to it, or 0. */
  readonly sk_fullsock: HelperFunction
  /** The TCP socket behind one. r1 `sk`. r0: pointer to it, or 0. */
  readonly tcp_sock: HelperFunction
  /** The listening socket of one. r1 `sk`. r0: pointer to it, or 0. */
  readonly get_listener_sock: HelperFunction
  /** A socket's own value in a map. r1 `map`: an sk_storage; r2 `sk`; r3 `value`: pointer to a first value, or 0; r4 `flags`: 0 or BPF_SK_STORAGE_GET_F_CREATE. r0: pointer to it, or 0. */
  readonly sk_storage_get: HelperFunction
  /** Removes a socket's own value. r1 `map`: an sk_storage; r2 `sk`. r0: 0 or a negative errno. */
  readonly sk_storage_delete: HelperFunction

  /** Whether an ACK carries a valid SYN cookie. r1 `sk`: the listening socket; r2 `iph`: IP header; r3 `iph_len`: its bytes; r4 `th`: TCP header; r5 `th_len`: its bytes. r0: 0 or a negative errno. */
  readonly tcp_check_syncookie: HelperFunction
  /** Makes a SYN cookie. r1 `sk`: the listening socket; r2 `iph`: IP header; r3 `iph_len`: its bytes; r4 `th`: TCP header; r5 `th_len`: its bytes. r0: cookie below, MSS above, or a negative errno. */
  readonly tcp_gen_syncookie: HelperFunction
  /** Makes a SYN cookie without a socket, IPv4. r1 `iph`: IP header; r2 `th`: TCP header; r3 `th_len`: its bytes. r0: cookie below, MSS above, or a negative errno. */
  readonly tcp_raw_gen_syncookie_ipv4: HelperFunction
  /** Makes a SYN cookie without a socket, IPv6. r1 `iph`: IP header; r2 `th`: TCP header; r3 `th_len`: its bytes. r0: cookie below, MSS above, or a negative errno. */
  readonly tcp_raw_gen_syncookie_ipv6: HelperFunction
  /** Whether an ACK carries a valid SYN cookie, IPv4. r1 `iph`: IP header; r2 `th`: TCP header. r0: 0 or a negative errno. */
  readonly tcp_raw_check_syncookie_ipv4: HelperFunction
  /** Whether an ACK carries a valid SYN cookie, IPv6. r1 `iph`: IP header; r2 `th`: TCP header. r0: 0 or a negative errno. */
  readonly tcp_raw_check_syncookie_ipv6: HelperFunction
  /** Sends an ACK, from struct_ops of TCP. r1 `tp`: the socket; r2 `rcv_nxt`: sequence to acknowledge. r0: 0 or a negative errno. */
  readonly tcp_send_ack: HelperFunction
  /** Finds an option in the TCP header. r1 `skops`: the context; r2 `searchby_res`: kind to look for, and where it goes; r3 `len`: bytes there; r4 `flags`: 0 or BPF_LOAD_HDR_OPT_TCP_SYN. r0: bytes, or a negative errno. */
  readonly load_hdr_opt: HelperFunction
  /** Writes an option into the TCP header. r1 `skops`: the context; r2 `from`: pointer to it; r3 `len`; r4 `flags`: 0. r0: 0 or a negative errno. */
  readonly store_hdr_opt: HelperFunction
  /** Takes room for options in the TCP header. r1 `skops`: the context; r2 `len`; r3 `flags`: 0. r0: 0 or a negative errno. */
  readonly reserve_hdr_opt: HelperFunction
  /** A socket as struct tcp6_sock. r1 `sk`. r0: pointer, or 0. */
  readonly skc_to_tcp6_sock: HelperFunction
  /** A socket as struct tcp_sock. r1 `sk`. r0: pointer, or 0. */
  readonly skc_to_tcp_sock: HelperFunction
  /** A socket as struct tcp_timewait_sock. r1 `sk`. r0: pointer, or 0. */
  readonly skc_to_tcp_timewait_sock: HelperFunction
  /** A socket as struct tcp_request_sock. r1 `sk`. r0: pointer, or 0. */
  readonly skc_to_tcp_request_sock: HelperFunction
  /** A socket as struct udp6_sock. r1 `sk`. r0: pointer, or 0. */
  readonly skc_to_udp6_sock: HelperFunction
  /** A socket as struct unix_sock. r1 `sk`. r0: pointer, or 0. */
  readonly skc_to_unix_sock: HelperFunction
  /** A socket as struct mptcp_sock. r1 `sk`. r0: pointer, or 0. */
  readonly skc_to_mptcp_sock: HelperFunction
}
