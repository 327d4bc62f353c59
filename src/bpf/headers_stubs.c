/* SPDX-License-Identifier: MIT */
#include "bpf/headers_stubs.h"

#include <stddef.h>

/*
 * libbcc puts -include ./include/linux/kconfig.h in front of everything, and takes a
 * directory for a header tree when that file is there.
 *
 * Until the file that HEADERS_PARSED names is there, nobody needs libbcc's helpers.h, which comes
 * next, 5,000 lines with what it includes.
 *
 * IS_ENABLED(CONFIG_X) expands CONFIG_X and pastes what comes out to a name: when it was
 * 1 that gives LNK_CFG_1, which adds an argument in front, so that the second one is 1.
 */
static const char kconfig[] = "#ifndef LNK_KCONFIG_H\n"
			      "#define LNK_KCONFIG_H\n"
			      "#include <generated/autoconf.h>\n"
			      "#define LNK_CFG_1 0,\n"
			      "#define LNK_SECOND(a, b, ...) b\n"
			      "#define LNK_IS_SET3(x) LNK_SECOND(x 1, 0, 0)\n"
			      "#define LNK_IS_SET2(x) LNK_IS_SET3(LNK_CFG_##x)\n"
			      "#define LNK_IS_SET(x) LNK_IS_SET2(x)\n"
			      "#define IS_BUILTIN(x) LNK_IS_SET(x)\n"
			      "#define IS_MODULE(x) LNK_IS_SET(x##_MODULE)\n"
			      "#define IS_ENABLED(x) (IS_BUILTIN(x) || IS_MODULE(x))\n"
			      "#define IS_REACHABLE(x) IS_BUILTIN(x)\n"
			      "#ifdef " HEADERS_PARSED "\n"
			      "#if !__has_include(" HEADERS_PARSED ")\n"
			      "#define __BPF_HELPERS_H\n"
			      "#endif\n"
			      "#endif\n"
			      "#endif\n";

/*
 * What kernel headers define as macros, which BTF does not carry. Everything stands in
 * #ifndef: libbcc's helpers.h comes between the types and the probe and has some of it.
 */
#define DEFINE(name, value) "#ifndef " name "\n#define " name " " value "\n#endif\n"
#define DEFINE_ARG(name, arg, value)                                                               \
	"#ifndef " name "\n#define " name "(" arg ") " value "\n#endif\n"

static const char constants[] = "#ifndef LNK_CONSTANTS_H\n"
				"#define LNK_CONSTANTS_H\n"
	/* Linkage and annotations. */
	DEFINE("NULL", "((void *)0)") DEFINE("true", "1") DEFINE("false", "0") DEFINE(
		"__always_inline", "inline __attribute__((always_inline))")
		DEFINE("noinline", "__attribute__((noinline))") DEFINE(
			"__maybe_unused",
			"__attribute__((unused))") DEFINE("__packed", "__attribute__((packed))")
			DEFINE_ARG("__aligned", "x", "__attribute__((aligned(x)))") DEFINE(
				"__user", "") DEFINE("__kernel",
						     "") DEFINE("__rcu",
								"") DEFINE("__percpu",
									   "") DEFINE("__iomem", "")
				DEFINE_ARG("likely", "x", "__builtin_expect(!!(x), 1)") DEFINE_ARG(
					"unlikely", "x", "__builtin_expect(!!(x), 0)")
					DEFINE_ARG("offsetof", "type, member",
						   "__builtin_offsetof(type, member)")
						DEFINE_ARG("sizeof_field", "type, member",
							   "sizeof(((type *)0)->member)")
							DEFINE_ARG("ARRAY_SIZE", "x",
								   "(sizeof(x) / sizeof((x)[0]))")
	/* linux/string.h: a call that clang makes instructions of */
	DEFINE_ARG("memset", "p, c, n", "__builtin_memset(p, c, n)")
		DEFINE_ARG("memcpy", "p, q, n", "__builtin_memcpy(p, q, n)")
			DEFINE_ARG("memmove", "p, q, n", "__builtin_memmove(p, q, n)")
				DEFINE_ARG("memcmp", "p, q, n", "__builtin_memcmp(p, q, n)")
					DEFINE_ARG("strlen", "s", "__builtin_strlen(s)")
						DEFINE_ARG("abs", "x", "__builtin_abs(x)")
	/* linux/if_ether.h */
	DEFINE("ETH_ALEN", "6") DEFINE("ETH_HLEN", "14") DEFINE("ETH_P_IP", "0x0800")
		DEFINE("ETH_P_ARP", "0x0806") DEFINE("ETH_P_8021Q", "0x8100")
			DEFINE("ETH_P_IPV6", "0x86DD") DEFINE("ETH_P_8021AD", "0x88A8")
				DEFINE("VLAN_HLEN", "4") DEFINE("IFNAMSIZ", "16")
					DEFINE("MAX_ADDR_LEN", "32")
	/* linux/in.h, linux/in6.h, net/ip.h, net/ipv6.h */
	DEFINE("IPPROTO_IP", "0") DEFINE("IPPROTO_ICMP", "1") DEFINE("IPPROTO_IPIP", "4") DEFINE(
		"IPPROTO_TCP", "6") DEFINE("IPPROTO_UDP", "17") DEFINE("IPPROTO_IPV6", "41")
		DEFINE("IPPROTO_GRE", "47") DEFINE("IPPROTO_ESP", "50") DEFINE(
			"IPPROTO_AH",
			"51") DEFINE("IPPROTO_SCTP",
				     "132") DEFINE("IPPROTO_RAW",
						   "255") DEFINE("IPPROTO_MPTCP", "262")
			DEFINE("IPPROTO_HOPOPTS", "0") DEFINE("IPPROTO_ROUTING", "43") DEFINE(
				"IPPROTO_FRAGMENT",
				"44") DEFINE("IPPROTO_ICMPV6",
					     "58") DEFINE("IPPROTO_NONE",
							  "59") DEFINE("IPPROTO_DSTOPTS", "60")
				DEFINE("NEXTHDR_HOP", "0") DEFINE("NEXTHDR_TCP", "6") DEFINE(
					"NEXTHDR_UDP",
					"17") DEFINE("NEXTHDR_ROUTING",
						     "43") DEFINE("NEXTHDR_FRAGMENT",
								  "44") DEFINE("NEXTHDR_AUTH", "51")
					DEFINE("NEXTHDR_NONE", "59") DEFINE("NEXTHDR_DEST", "60")
						DEFINE("IP_CE", "0x8000") DEFINE("IP_DF", "0x4000")
							DEFINE("IP_MF", "0x2000")
								DEFINE("IP_OFFSET", "0x1FFF")
									DEFINE("IP6_MF", "0x0001")
										DEFINE("IP6_OFFSET",
										       "0xFFF8")
	/* linux/socket.h, linux/net.h */
	DEFINE("AF_UNSPEC", "0") DEFINE("AF_UNIX", "1") DEFINE("AF_INET", "2")
		DEFINE("AF_INET6", "10") DEFINE("AF_NETLINK", "16") DEFINE("AF_PACKET", "17")
			DEFINE("SOCK_STREAM", "1") DEFINE("SOCK_DGRAM", "2") DEFINE("SOCK_RAW", "3")
	/* net/tcp_states.h */
	DEFINE("TCP_ESTABLISHED", "1") DEFINE("TCP_SYN_SENT", "2") DEFINE("TCP_SYN_RECV", "3")
		DEFINE("TCP_FIN_WAIT1", "4") DEFINE("TCP_FIN_WAIT2", "5")
			DEFINE("TCP_TIME_WAIT", "6") DEFINE("TCP_CLOSE", "7")
				DEFINE("TCP_CLOSE_WAIT", "8") DEFINE("TCP_LAST_ACK", "9")
					DEFINE("TCP_LISTEN", "10") DEFINE("TCP_CLOSING", "11")
						DEFINE("TCP_NEW_SYN_RECV", "12")
	/* linux/kernel.h's byte orders; BPF runs in the byte order of the host. */
	"#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__\n" DEFINE_ARG(
		"ntohs", "x", "__builtin_bswap16(x)") DEFINE_ARG("ntohl", "x",
								 "__builtin_bswap32(x)")
		DEFINE_ARG("be64_to_cpu", "x", "__builtin_bswap64(x)") "#else\n" DEFINE_ARG(
			"ntohs", "x", "((u16)(x))") DEFINE_ARG("ntohl", "x", "((u32)(x))")
			DEFINE_ARG("be64_to_cpu", "x", "((u64)(x))") "#endif\n" DEFINE_ARG(
				"htons", "x", "ntohs(x)") DEFINE_ARG("htonl", "x", "ntohl(x)")
				DEFINE_ARG("be16_to_cpu", "x",
					   "ntohs(x)") DEFINE_ARG("be32_to_cpu", "x", "ntohl(x)")
					DEFINE_ARG("cpu_to_be16", "x", "ntohs(x)")
						DEFINE_ARG("cpu_to_be32", "x", "ntohl(x)")
							DEFINE_ARG("cpu_to_be64", "x",
								   "be64_to_cpu(x)") "#endif\n";

const struct headers_file headers_files[] = {
	{ "include/linux/kconfig.h", kconfig },
	{ "include/lnk/constants.h", constants },
	/* Included by libbcc's own headers before or beside the types; nothing is needed
	 * from them (uapi/linux/bpf.h is libbcc's, included earlier). */
	{ "include/uapi/linux/bpf.h", "" },
	{ "include/linux/bpf_common.h", "" },
	{ "include/linux/log2.h", "" },
	{ NULL, NULL },
};

const char headers_stub_text[] = "#include <lnk/types.h>\n"
				 "#include <lnk/constants.h>\n";

const char *const headers_stubs[] = {
	"include/asm/byteorder.h",
	"include/asm/page.h",
	"include/asm/ptrace.h",
	"include/linux/bitops.h",
	"include/linux/bpf_perf_event.h",
	"include/linux/compiler.h",
	"include/linux/etherdevice.h",
	"include/linux/if.h",
	"include/linux/if_ether.h",
	"include/linux/if_packet.h",
	"include/linux/if_vlan.h",
	"include/linux/in.h",
	"include/linux/in6.h",
	"include/linux/inet.h",
	"include/linux/ip.h",
	"include/linux/ipv6.h",
	"include/linux/kernel.h",
	"include/linux/net.h",
	"include/linux/netdevice.h",
	"include/linux/ptrace.h",
	"include/linux/sched.h",
	"include/linux/skbuff.h",
	"include/linux/socket.h",
	"include/linux/stddef.h",
	"include/linux/string.h",
	"include/linux/tcp.h",
	"include/linux/types.h",
	"include/linux/udp.h",
	"include/net/inet_connection_sock.h",
	"include/net/inet_sock.h",
	"include/net/ip.h",
	"include/net/ipv6.h",
	"include/net/net_namespace.h",
	"include/net/sock.h",
	"include/net/tcp.h",
	"include/net/tcp_states.h",
	"include/uapi/linux/bpf_perf_event.h",
	"include/uapi/linux/if.h",
	"include/uapi/linux/if_ether.h",
	"include/uapi/linux/if_packet.h",
	"include/uapi/linux/in.h",
	"include/uapi/linux/in6.h",
	"include/uapi/linux/ip.h",
	"include/uapi/linux/ipv6.h",
	"include/uapi/linux/ptrace.h",
	"include/uapi/linux/tcp.h",
	"include/uapi/linux/types.h",
	"include/uapi/linux/udp.h",
	NULL,
};
