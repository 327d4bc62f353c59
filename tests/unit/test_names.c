/* SPDX-License-Identifier: MIT */
/* Interfaces and network namespaces: what the kernel says, and what it could say. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>

#include "sink/interfaces.h"
#include "sink/namespaces.h"

/* --- interfaces -------------------------------------------------------------------- */

struct message {
	struct nlmsghdr h;
	struct ifinfomsg info;
	struct rtattr mtu_head;
	uint32_t mtu;
	struct rtattr name_head;
	char name[IF_NAMESIZE];
};

static struct message link_message(int type, int index, const char *name)
{
	struct message m = {
		.h = { .nlmsg_len = sizeof(m), .nlmsg_type = (uint16_t)type },
		.info = { .ifi_index = index },
		.mtu_head = { .rta_len = RTA_LENGTH(4), .rta_type = IFLA_MTU },
		.name_head = { .rta_len = RTA_LENGTH(sizeof(m.name)), .rta_type = IFLA_IFNAME },
	};

	memcpy(m.name, name, strlen(name));
	return m;
}

static void take(struct interfaces *i, struct message m)
{
	CHECK_INT(interfaces_take(i, &m, m.h.nlmsg_len), 0);
}

TEST(interfaces_come_and_go)
{
	struct interfaces *i = NULL;
	struct message m;

	CHECK_INT(interfaces_make(&i, 4026531840), 0);
	CHECK_INT(interfaces_netns(i), 4026531840);
	CHECK(!interfaces_name(i, 1));
	for (int n = 200; n > 0; n--) {
		char name[IF_NAMESIZE];

		snprintf(name, sizeof(name), "veth%d", n);
		take(i, link_message(RTM_NEWLINK, n, name));
	}
	CHECK_STR(interfaces_name(i, 1), "veth1");
	CHECK_STR(interfaces_name(i, 200), "veth200");
	CHECK(!interfaces_name(i, 0) && !interfaces_name(i, 201));
	CHECK(!interfaces_name(i, (1ULL << 32) + 1));
	take(i, link_message(RTM_NEWLINK, 7, "renamed"));
	CHECK_STR(interfaces_name(i, 7), "renamed");
	take(i, link_message(RTM_DELLINK, 7, "renamed"));
	CHECK(!interfaces_name(i, 7));
	CHECK_STR(interfaces_name(i, 8), "veth8");
	/* a port leaves a bridge; it is no less there */
	m = link_message(RTM_DELLINK, 8, "veth8");
	m.info.ifi_family = AF_BRIDGE;
	take(i, m);
	CHECK_STR(interfaces_name(i, 8), "veth8");
	interfaces_close(i);
	interfaces_close(NULL);
}

/* However a message is cut, nothing is read behind it. */
TEST(messages_that_are_cut)
{
	struct message m = link_message(RTM_NEWLINK, 3, "eth0");
	struct interfaces *i = NULL;
	unsigned char *copy;

	CHECK_INT(interfaces_make(&i, 1), 0);
	for (size_t len = 0; len <= sizeof(m); len++) {
		copy = malloc(len ? len : 1);
		memcpy(copy, &m, len);
		interfaces_take(i, copy, len);
		free(copy);
		CHECK(!interfaces_name(i, 3) == (len < sizeof(m)));
	}
	m.name_head.rta_len = 3; /* shorter than its own head */
	m.info.ifi_index = 4;
	take(i, m);
	CHECK(!interfaces_name(i, 4));
	m.h.nlmsg_len = 3;
	CHECK_INT(interfaces_take(i, &m, sizeof(m)), 0);
	m.h.nlmsg_len = sizeof(m.h);
	m.h.nlmsg_type = NLMSG_DONE;
	CHECK_INT(interfaces_take(i, &m, sizeof(m.h)), 1);
	interfaces_close(i);
}

/* if_nameindex() is the other opinion. */
TEST(interfaces_of_this_host)
{
	struct if_nameindex *all = if_nameindex();
	struct interfaces *i = NULL;
	struct stat st;

	if (interfaces_open(&i) == -EPERM)
		SKIP("no rtnetlink here");
	CHECK(!stat("/proc/self/ns/net", &st));
	CHECK_INT(interfaces_netns(i), st.st_ino);
	for (struct if_nameindex *n = all; n && n->if_index; n++) {
		const char *name = interfaces_name(i, n->if_index);

		CHECK_STR(name ? name : "(none)", n->if_name);
	}
	if_freenameindex(all);
	interfaces_close(i);
}

/* A rename while the program runs, in a network namespace of the test's own. */
TEST(a_renamed_interface)
{
	struct ifreq r = { .ifr_name = "lo" };
	struct interfaces *i = NULL;
	int fd;

	if (unshare(CLONE_NEWNET))
		SKIP("needs CAP_SYS_ADMIN");
	CHECK_INT(interfaces_open(&i), 0);
	CHECK_STR(interfaces_name(i, 1), "lo");
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	strcpy(r.ifr_newname, "loop");
	CHECK_INT(ioctl(fd, SIOCSIFNAME, &r), 0);
	close(fd);
	interfaces_refresh(i);
	CHECK_STR(interfaces_name(i, 1), "loop");
	interfaces_close(i);
}

/* --- namespaces -------------------------------------------------------------------- */

static char dir[64];

static void bind_namespace(const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	close(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	CHECK_INT(mount("/proc/self/ns/net", path, NULL, MS_BIND, NULL), 0);
}

static void unbind_namespace(const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	umount2(path, MNT_DETACH);
	unlink(path);
}

static uint64_t own_namespace(void)
{
	struct stat st;

	return stat("/proc/self/ns/net", &st) ? 0 : st.st_ino;
}

/* ... of the name's namespace, or what namespaces_inode() returns. */
static int64_t inode_of(const struct namespaces *n, const char *name)
{
	uint64_t inode;
	int err = namespaces_inode(n, name, &inode);

	return err ? err : (int64_t)inode;
}

TEST(namespaces_come_and_go)
{
	struct namespaces *n = NULL;
	uint64_t first = own_namespace(), second;
	char decoy[128];
	struct stat st;

	if (unshare(CLONE_NEWNS | CLONE_NEWNET) || mount("", "/", NULL, MS_REC | MS_PRIVATE, NULL))
		SKIP("needs CAP_SYS_ADMIN");
	strcpy(dir, "/tmp/lnk-netns.XXXXXX");
	CHECK(mkdtemp(dir) != NULL);
	second = own_namespace();
	CHECK(first != second);
	CHECK_INT(namespaces_open(&n, dir), 0);
	CHECK(!namespaces_name(n, second));
	/* as ip-netns(8) does it: the directory becomes a mount of its own */
	CHECK_INT(mount(dir, dir, NULL, MS_BIND, NULL), 0);
	bind_namespace("blue");
	namespaces_refresh(n);
	CHECK_STR(namespaces_name(n, second), "blue");
	CHECK(!namespaces_name(n, first));
	CHECK_STR(namespaces_name(n, second), "blue");
	CHECK_INT(inode_of(n, "blue"), (int64_t)second);
	snprintf(decoy, sizeof(decoy), "%s/blue", dir);
	CHECK_INT(inode_of(n, decoy), (int64_t)second);
	CHECK_INT(inode_of(n, "blu"), 0);
	CHECK_INT(inode_of(n, "/blue"), -EINVAL);
	CHECK_INT(inode_of(n, "/proc/self/ns/net"), -EINVAL);
	bind_namespace("12"); /* which is a process to -N */
	CHECK_INT(inode_of(n, "12"), -EINVAL);
	unbind_namespace("12");
	/* a file of that name is no namespace, whatever its number */
	snprintf(decoy, sizeof(decoy), "%s/decoy", dir);
	close(open(decoy, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	CHECK(!stat(decoy, &st));
	namespaces_refresh(n);
	CHECK(!namespaces_name(n, st.st_ino));
	CHECK_INT(inode_of(n, "decoy"), 0);
	CHECK_INT(inode_of(n, "decoy/blue"), -EINVAL);
	unlink(decoy);
	/* its number is used again for the next one: the name must go */
	unbind_namespace("blue");
	CHECK_INT(inode_of(n, "blue"), 0); /* at once */
	namespaces_refresh(n);
	CHECK(!namespaces_name(n, second));
	namespaces_close(n);
	namespaces_close(NULL);
	umount2(dir, MNT_DETACH);
	rmdir(dir);
}

/* Two changes within one tick of the file system's clock look like one. */
TEST(namespaces_that_come_at_once)
{
	struct namespaces *n = NULL;
	struct timespec same[2];
	struct stat st;

	if (unshare(CLONE_NEWNS | CLONE_NEWNET) || mount("", "/", NULL, MS_REC | MS_PRIVATE, NULL))
		SKIP("needs CAP_SYS_ADMIN");
	strcpy(dir, "/tmp/lnk-netns.XXXXXX");
	CHECK(mkdtemp(dir) != NULL);
	bind_namespace("blue");
	CHECK_INT(namespaces_open(&n, dir), 0);
	CHECK_STR(namespaces_name(n, own_namespace()), "blue");
	CHECK(!stat(dir, &st));
	CHECK_INT(unshare(CLONE_NEWNET), 0);
	bind_namespace("red");
	same[0] = st.st_atim;
	same[1] = st.st_mtim;
	CHECK_INT(utimensat(AT_FDCWD, dir, same, 0), 0);
	namespaces_refresh(n);
	CHECK(namespaces_name(n, own_namespace()) != NULL);
	namespaces_close(n);
	unbind_namespace("blue");
	unbind_namespace("red");
	rmdir(dir);
}

TEST(no_directory_of_namespaces)
{
	struct namespaces *n = NULL;

	CHECK_INT(namespaces_open(&n, "/nonexistent/netns"), 0);
	namespaces_refresh(n);
	CHECK(!namespaces_name(n, own_namespace()));
	namespaces_close(n);
}
