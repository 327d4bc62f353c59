/* SPDX-License-Identifier: MIT */
/* What a child closes that is to keep nothing of its parent's. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stddef.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <linux/filter.h>
#include <linux/seccomp.h>

#include "base/io.h"

#define FAR 1500
#ifndef SYS_close_range
#define SYS_close_range 436 /* on every machine */
#endif

static bool is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

/* Descriptors 10, 11 and one far above the limit, which was higher when it was opened. */
static void begin(void)
{
	struct rlimit files;
	int null = open("/dev/null", O_RDWR);

	CHECK_INT(getrlimit(RLIMIT_NOFILE, &files), 0);
	files.rlim_cur = files.rlim_max;
	CHECK_INT(setrlimit(RLIMIT_NOFILE, &files), 0);
	if (dup2(null, FAR) < 0)
		SKIP("no descriptor has so high a number here");
	CHECK_INT(dup2(null, 10), 10);
	CHECK_INT(dup2(null, 11), 11);
	files.rlim_cur = 64;
	CHECK_INT(setrlimit(RLIMIT_NOFILE, &files), 0);
}

static void look(void)
{
	CHECK(is_open(0) && is_open(1) && is_open(2) && is_open(10));
	CHECK(!is_open(11));
	CHECK(!is_open(FAR));
}

/* As before Linux 5.9. */
static void forget_close_range(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_close_range, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = { sizeof(code) / sizeof(code[0]), code };

	CHECK_INT(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog))
		SKIP("no seccomp filter");
	CHECK(syscall(SYS_close_range, ~0U, ~0U, 0) && errno == ENOSYS);
}

TEST(all_from_one_on)
{
	begin();
	close_from(11);
	look();
}

TEST(all_from_one_on_before_linux_5_9)
{
	begin();
	forget_close_range();
	close_from(11);
	look();
}

TEST(all_from_one_on_without_proc)
{
	begin();
	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("none", "/proc", "tmpfs", 0, NULL))
		SKIP("no mount namespace");
	forget_close_range();
	close_from(11);
	umount2("/proc", MNT_DETACH); /* the sanitizers want it at the end */
	look();
}
