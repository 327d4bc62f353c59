/* SPDX-License-Identifier: MIT */
/*
 * libbcc parses a program three times: to find tracepoints, to rewrite it, to compile it.
 * Only the third needs the headers here, and they are all that takes time. In front of the
 * text for the third pass libbcc puts
 *
 *	#if defined(CONFIG_CC_STACKPROTECTOR_AUTO) || ...
 *	#define CONFIG_CC_STACKPROTECTOR
 *
 * (since 0.6, for kernels before 4.18), so with the former on the command line the latter
 * tells the third pass from the others. Should a libbcc do so no more, the program has no
 * types, and the caller compiles with the headers themselves.
 */
#include "bpf/headers_types.h"

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <linux/bpf.h>

/* LLVM's BTF has the whole of a struct that a function's parameter points to, and of what is
 * in it; structs behind further pointers stay incomplete. */
const char headers_types_source[] = "#ifdef CONFIG_CC_STACKPROTECTOR\n"
				    "#include <linux/skbuff.h>\n"
				    "#include <linux/tcp.h>\n"
				    "#include <linux/udp.h>\n"
				    "#include <uapi/linux/ip.h>\n"
				    "#include <uapi/linux/ipv6.h>\n"
				    "#include <net/sock.h>\n"
				    "struct lnk_types {\n"
				    "	struct pt_regs pt_regs;\n"
				    "	struct iphdr iphdr;\n"
				    "	struct ipv6hdr ipv6hdr;\n"
				    "	struct tcphdr tcphdr;\n"
				    "	struct udphdr udphdr;\n"
				    "	struct ethhdr ethhdr;\n"
				    "	struct ipv6_opt_hdr ipv6_opt_hdr;\n"
				    "	struct sk_buff sk_buff;\n"
				    "	struct skb_shared_info skb_shared_info;\n"
				    "	struct tcp_sock tcp_sock;\n"
				    "	struct net_device net_device;\n"
				    "	struct net net;\n"
				    "	struct socket_alloc socket_alloc;\n"
				    "	struct task_struct task_struct;\n"
				    "#ifdef CONFIG_SOCK_CGROUP_DATA\n"
				    "	struct cgroup cgroup;\n"
				    "	struct kernfs_node kernfs_node;\n"
				    "#endif\n"
				    "#ifdef __riscv\n"
				    "	struct user_regs_struct user_regs_struct;\n"
				    "#endif\n"
				    "};\n"
				    "#else\n"
				    "struct lnk_types;\n"
				    "#endif\n"
				    "int lnk_mention(struct lnk_types *types) { return 0; }\n";

static bool is_btf(const char *name)
{
	char path[64], target[64];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/self/fd/%.20s", name);
	n = readlink(path, target, sizeof(target));
	return n == (ssize_t)strlen("anon_inode:btf") &&
	       !memcmp(target, "anon_inode:btf", (size_t)n);
}

/* The newest is the program's. */
static int find_btf(void)
{
	DIR *dir = opendir("/proc/self/fd");
	const struct dirent *d;
	int fd = -1;

	if (!dir)
		return -errno;
	while ((d = readdir(dir)))
		if (is_btf(d->d_name) && atoi(d->d_name) > fd)
			fd = atoi(d->d_name);
	closedir(dir);
	return fd < 0 ? -ENOENT : fd;
}

static int get_info(int fd, struct bpf_btf_info *info)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.info.bpf_fd = (uint32_t)fd;
	attr.info.info_len = sizeof(*info);
	attr.info.info = (uint64_t)(uintptr_t)info;
	return syscall(SYS_bpf, BPF_OBJ_GET_INFO_BY_FD, &attr, sizeof(attr)) ? -errno : 0;
}

static int read_btf(int fd, struct text *btf)
{
	struct bpf_btf_info info = { 0 };
	char *bytes;
	int err;

	err = get_info(fd, &info);
	if (err)
		return err;
	bytes = malloc(info.btf_size + 1);
	if (!bytes)
		return -ENOMEM;
	info = (struct bpf_btf_info){ .btf = (uint64_t)(uintptr_t)bytes,
				      .btf_size = info.btf_size };
	err = get_info(fd, &info);
	if (!err)
		text_add(btf, bytes, info.btf_size);
	free(bytes);
	return err;
}

int headers_types_take(struct text *btf)
{
	int fd = find_btf(), err;

	if (fd < 0)
		return fd;
	err = read_btf(fd, btf);
	close(fd);
	return err ? err : btf->cut ? -ENOMEM : 0;
}
