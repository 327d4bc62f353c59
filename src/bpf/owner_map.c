/* SPDX-License-Identifier: MIT */
#include "bpf/owner_map.h"

#include <bcc/libbpf.h>
#include <sys/stat.h>

#define INITIAL_PID_NAMESPACE 0xEFFFFFFC /* PROC_PID_INIT_INO */

static bool same_numbers;

void owner_map_prepare(void)
{
	struct stat st;

	same_numbers = !stat("/proc/self/ns/pid", &st) && st.st_ino == INITIAL_PID_NAMESPACE;
}

bool owner_map_find(int map_fd, uint64_t inode, struct lnk_owner *found)
{
	if (map_fd < 0 || !same_numbers || bpf_lookup_elem(map_fd, &inode, found))
		return false;
	found->comm[sizeof(found->comm) - 1] = '\0';
	return found->pid;
}

void owner_map_reject(int map_fd, uint64_t inode, uint64_t until_ns)
{
	struct lnk_owner others = { .others_until_ns = until_ns };

	/* where it fails the host goes on to reject them */
	if (map_fd >= 0)
		bpf_update_elem(map_fd, &inode, &others, BPF_ANY);
}
