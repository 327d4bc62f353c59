/* SPDX-License-Identifier: MIT */
#include "bpf/kprobe.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <linux/bpf.h>
#include <linux/perf_event.h>

#include "base/io.h"
#include "bpf/guard.h"
#include "bpf/kernel.h"
#include "bpf/sweep.h"

#define PMU "/sys/bus/event_source/devices/kprobe/"
#define PROFILE_MAX ((size_t)4 << 20)

/* Numbers and a layout that older headers lack (include/uapi/linux/bpf.h of 6.7). */
#define LINK_CREATE 28
#define OBJ_GET_INFO 15
#define ATTACH_PERF_EVENT 41
struct link_info {
	uint32_t type, id, prog_id, unused;
	struct {
		uint32_t type, unused;
		uint64_t name;
		uint32_t name_len, offset;
		uint64_t address;
		uint64_t missed;
	} kprobe;
};
_Static_assert(sizeof(struct link_info) == 56, "as in bpf_link_info.perf_event.kprobe");
/* What no kernel writes: the field is not there. */
#define NOT_TOLD UINT64_MAX

static bool links_do_not_tell; /* on this kernel */
static int profile_fd = -1;
static bool nameless; /* kprobe_avoid_names() */
static int named;     /* attached by an event that has a name */

static bool at_return(const struct hook *h)
{
	return h->kind == HOOK_KRETPROBE;
}

static int open_event(struct perf_event_attr *attr)
{
	int fd;

	attr->size = sizeof(*attr);
	attr->sample_period = 1;
	attr->wakeup_events = 1;
	fd = (int)syscall(SYS_perf_event_open, attr, -1, 0, -1, PERF_FLAG_FD_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* The number in a file of sysfs or tracefs, behind any letters; -1: none. */
static long read_number(const char *path)
{
	struct text t = { 0 };
	long n = -1;

	if (!read_file_at(AT_FDCWD, path, &t, 64))
		n = strtol(text_str(&t) + strcspn(text_str(&t), "0123456789"), NULL, 10);
	text_free(&t);
	return n;
}

/* --- links ------------------------------------------------------------------------ */

static int link_missed(int link_fd, uint64_t *missed)
{
	struct link_info info = { .kprobe.missed = NOT_TOLD };
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.info.bpf_fd = (uint32_t)link_fd;
	attr.info.info_len = sizeof(info);
	attr.info.info = (uint64_t)(uintptr_t)&info;
	if (syscall(SYS_bpf, OBJ_GET_INFO, &attr, sizeof(attr)))
		return -errno;
	if (attr.info.info_len < sizeof(info) || info.kprobe.missed == NOT_TOLD)
		return -EOPNOTSUPP;
	*missed = info.kprobe.missed;
	return 0;
}

static int make_link(int prog_fd, int event_fd)
{
	struct {
		uint32_t prog_fd, target_fd, attach_type, flags;
		uint64_t more[4];
	} attr = { (uint32_t)prog_fd, (uint32_t)event_fd, ATTACH_PERF_EVENT, 0, { 0 } };
	int fd = (int)syscall(SYS_bpf, LINK_CREATE, &attr, sizeof(attr));

	return fd < 0 ? -errno : fd;
}

/* The kprobe of the perf PMU at h->symbol, without a program. */
static int open_pmu_event(const struct hook *h)
{
	struct perf_event_attr attr = { 0 };
	long type = read_number(PMU "type"), bit = read_number(PMU "format/retprobe");

	if (type < 0 || bit < 0 || bit > 63)
		return -EOPNOTSUPP;
	attr.type = (uint32_t)type;
	attr.config = at_return(h) ? 1ULL << bit : 0;
	attr.config1 = (uint64_t)(uintptr_t)h->symbol;
	return open_event(&attr);
}

static int attach_by_link(struct hook *h)
{
	uint64_t missed;
	int event, fd;

	if (links_do_not_tell)
		return -EOPNOTSUPP;
	event = open_pmu_event(h);
	if (event < 0)
		return event;
	fd = make_link(hook_called_fd(h), event);
	close(event); /* the link holds it */
	if (fd >= 0 && !link_missed(fd, &missed)) {
		h->told = TOLD_BY_LINK;
		return fd;
	}
	links_do_not_tell = true;
	if (fd >= 0)
		close(fd);
	return -EOPNOTSUPP;
}

/* --- events ----------------------------------------------------------------------- */

static int open_profile(void)
{
	char path[128];

	if (profile_fd >= 0)
		return 0;
	snprintf(path, sizeof(path), "%s/kprobe_profile", kernel_tracefs());
	profile_fd = open(path, O_RDONLY | O_CLOEXEC);
	return profile_fd < 0 ? -errno : 0;
}

/* A line is "NAME HITS MISSES". */
static int read_profile(const char *name, struct kprobe_count *c)
{
	struct text t = { 0 };
	const char *line, *p;
	size_t n = strlen(name);
	int err = -ENOENT;

	if (profile_fd < 0 || lseek(profile_fd, 0, SEEK_SET) ||
	    read_all(profile_fd, &t, PROFILE_MAX))
		err = -EIO;
	for (line = text_str(&t); *line && err == -ENOENT; line = *p ? p + 1 : p) {
		p = line + strcspn(line, "\n");
		line += strspn(line, " ");
		if (!strncmp(line, name, n) && line[n] == ' ' &&
		    sscanf(line + n, "%" SCNu64 " %" SCNu64, &c->hits, &c->skipped) == 2)
			err = 0;
	}
	text_free(&t);
	return err;
}

static int open_named_event(const char *name)
{
	struct perf_event_attr attr = { .type = PERF_TYPE_TRACEPOINT };
	char path[512];
	long id;

	snprintf(path, sizeof(path), "%s/events/kprobes/%s/id", kernel_tracefs(), name);
	id = read_number(path);
	if (id < 0)
		return -EOPNOTSUPP;
	attr.config = (uint64_t)id;
	return open_event(&attr);
}

/* Gives the event its program; takes its descriptor, and returns it. */
static int set_program(int event, int prog_fd)
{
	int err;

	if (event < 0 || (!ioctl(event, PERF_EVENT_IOC_SET_BPF, prog_fd) &&
			  !ioctl(event, PERF_EVENT_IOC_ENABLE, 0)))
		return event;
	err = -errno;
	close(event);
	return err;
}

static int attach_by_event(struct hook *h)
{
	int err, fd;

	if (nameless || !kernel_tracefs() || open_profile() || guard_start())
		return -EOPNOTSUPP;
	sweep_name(h->event, sizeof(h->event), at_return(h), h->symbol);
	err = sweep_make_kprobe(h->event, at_return(h), h->symbol);
	fd = err ? err : set_program(open_named_event(h->event), hook_called_fd(h));
	if (!err && fd < 0)
		sweep_remove_kprobe(h->event);
	if (fd >= 0) {
		h->told = TOLD_BY_EVENT;
		named++;
		return fd;
	}
	h->event[0] = '\0';
	if (!named)
		guard_end();
	return fd;
}

/* ---------------------------------------------------------------------------------- */

int kprobe_attach(struct hook *h)
{
	int fd;

	h->told = TOLD_BY_NONE;
	fd = attach_by_link(h);
	if (fd < 0 && fd != -ENOENT)
		fd = attach_by_event(h);
	if (fd < 0 && fd != -ENOENT && kernel_has_kprobe_pmu())
		fd = set_program(open_pmu_event(h), hook_called_fd(h));
	return fd;
}

void kprobe_avoid_names(void)
{
	nameless = true;
}

void kprobe_detached(const struct hook *h)
{
	if (h->event[0] && !--named)
		guard_end();
}

int kprobe_count(const struct hook *h, struct kprobe_count *c)
{
	*c = (struct kprobe_count){ 0 };
	switch (h->told) {
	case TOLD_BY_LINK:
		return link_missed(h->link_fd, &c->skipped);
	case TOLD_BY_EVENT:
		return read_profile(h->event, c);
	case TOLD_BY_NONE:
		break;
	}
	return -EOPNOTSUPP;
}
