/* SPDX-License-Identifier: MIT */
/* The host: may this process trace, and what does the kernel bring along? */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/doctor_parts.h"
#include "base/io.h"
#include "bpf/headers.h"
#include "bpf/headers_btf.h"
#include "bpf/headers_kheaders.h"
#include "bpf/kernel.h"
#include "bpf/pages.h"
#include "bpf/work_dir.h"

static void check_privileges(struct report *r)
{
	if (kernel_may_trace())
		report_add(r, VERDICT_OK, "privileges", NULL, "may load tracing programs");
	else
		report_add(r, VERDICT_PROBLEM, "privileges", "try sudo",
			   "this needs root, or the capabilities CAP_BPF and CAP_PERFMON "
			   "(CAP_SYS_ADMIN before Linux 5.8)");
}

static void check_lockdown(struct report *r)
{
	if (kernel_locked_down())
		report_add(r, VERDICT_PROBLEM, "lockdown", "boot with lockdown=integrity or none",
			   "confidentiality: forbids reading kernel memory");
	else
		report_add(r, VERDICT_OK, "lockdown", NULL,
			   "does not forbid reading kernel memory");
}

static void check_tracefs(struct report *r)
{
	if (kernel_tracefs())
		report_add(r, VERDICT_OK, "tracefs", NULL, "%s", kernel_tracefs());
	else
		report_add(r, VERDICT_NOTE, "tracefs", "as root: " TRACEFS_HINT,
			   "not seen: plain tracepoints%s need it",
			   kernel_has_kprobe_pmu() ? "" : " and kprobes");
}

static void check_kprobes(struct report *r)
{
	if (!kernel_kprobe_refusal())
		report_add(r, VERDICT_OK, "kprobes", NULL, "%s",
			   kernel_has_kprobe_pmu() ? "through the perf PMU" : "through tracefs");
	else
		report_add(r, VERDICT_NOTE, "kprobes", NULL, "%s", kernel_kprobe_refusal());
}

static void check_fentry(struct report *r, bool btf)
{
	if (!btf)
		report_add(r, VERDICT_NOTE, "fentry", NULL,
			   "not without BTF; kprobes serve instead, and may miss calls under load");
	else if (!kernel_may_trace())
		report_add(r, VERDICT_NOTE, "fentry", NULL, "cannot be tried without privileges");
	else if (!kernel_tracing_refusal())
		report_add(r, VERDICT_OK, "fentry", NULL, "the kernel takes TRACING programs");
	else
		report_add(r, VERDICT_NOTE, "fentry", NULL, "%s", kernel_tracing_refusal());
}

/* A note where they are not read: few cards leave them there. */
static void check_pages(struct report *r)
{
	const char *why;

	if (pages_known(&why))
		report_add(r, VERDICT_OK, "headers in pages", NULL, "read: " PAGES_PATH);
	else
		report_add(r, VERDICT_NOTE, "headers in pages", NULL,
			   "not read, such packets are only counted (" PAGES_PATH ": %s)", why);
}

/* --- where the types come from ---------------------------------------------------- */

/* As the loader would take them, for a file may be there and be no use; it needs a directory
 * to write to. */
static bool check_source(struct report *r, enum headers_kind kind, const char *name,
			 const char *path)
{
	char work[WORK_DIR_MAX];
	struct headers *h = calloc(1, sizeof(*h));
	struct text why = { 0 };
	int lock = h ? work_dir_make(work) : -ENOMEM, err = lock < 0 ? lock : 0;

	if (err) {
		report_add(r, VERDICT_NOTE, name, NULL, "not looked at: %s", strerror(-err));
		free(h);
		return kind == HEADERS_BTF && headers_btf_kernel();
	}
	err = headers_prepare(h, kind, NULL, work, NULL, &why);
	if (err)
		report_add(r, VERDICT_NOTE, name, NULL, "%s", text_str(&why));
	else
		report_add(r, VERDICT_OK, name, NULL, "%s", path ? path : h->source);
	headers_free(h);
	free(h);
	text_free(&why);
	work_dir_remove(work);
	close(lock);
	return !err;
}

/* Returns whether there is BTF. */
static bool check_types(struct report *r, const struct config *conf)
{
	bool btf = check_source(r, HEADERS_BTF, "BTF", HEADERS_BTF_PATH);
	bool installed = check_source(r, HEADERS_INSTALLED, "installed headers", NULL);
	bool kheaders = check_source(r, HEADERS_KHEADERS, "kheaders", HEADERS_KHEADERS_PATH);
	const char *named = getenv("BCC_KERNEL_SOURCE");

	if (strcmp(conf->headers, headers_kind_name[HEADERS_AUTO]))
		report_add(r, VERDICT_NOTE, "kernel types", NULL, "from --headers=%s as you ask",
			   conf->headers);
	else if (named && *named)
		report_add(r, VERDICT_NOTE, "kernel types", NULL,
			   "from BCC_KERNEL_SOURCE=%s, if it can be used", named);
	else if (btf || installed || kheaders)
		report_add(r, VERDICT_OK, "kernel types", NULL, "from %s",
			   btf         ? "BTF"
			   : installed ? "the installed headers"
				       : "kheaders");
	else
		report_add(r, VERDICT_PROBLEM, "kernel types",
			   "boot a kernel with BTF, or install linux-headers-$(uname -r) (Fedora: "
			   "kernel-devel), or: modprobe kheaders",
			   "neither BTF nor headers of this kernel");
	return btf;
}

/* --- settings --------------------------------------------------------------------- */

/* The number in a file of /proc/sys. Returns false when it cannot be read. */
static bool read_setting(const char *path, long *value)
{
	struct text t = { 0 };
	bool good = !read_file_at(AT_FDCWD, path, &t, 64) && t.len;

	if (good)
		*value = strtol(t.s, NULL, 10);
	text_free(&t);
	return good;
}

static void check_kptr_restrict(struct report *r)
{
	long v;

	if (!read_setting("/proc/sys/kernel/kptr_restrict", &v))
		report_add(r, VERDICT_NOTE, "kptr_restrict", NULL, "cannot be read");
	else if (v >= 2)
		report_add(r, VERDICT_NOTE, "kptr_restrict", "sysctl kernel.kptr_restrict=1",
			   "%ld: kernel addresses are hidden, -d shows none", v);
	else
		report_add(r, VERDICT_OK, "kptr_restrict", NULL, "%ld", v);
}

static void check_unprivileged_bpf(struct report *r)
{
	long v;

	if (!read_setting("/proc/sys/kernel/unprivileged_bpf_disabled", &v))
		report_add(r, VERDICT_NOTE, "unprivileged_bpf", NULL, "cannot be read");
	else if (v)
		report_add(r, VERDICT_OK, "unprivileged_bpf", NULL,
			   "disabled (%ld), which does not concern root", v);
	else
		report_add(r, VERDICT_NOTE, "unprivileged_bpf",
			   "safer: sysctl kernel.unprivileged_bpf_disabled=1",
			   "every user may load BPF programs");
}

static void check_perf_event_paranoid(struct report *r)
{
	long v;

	if (!read_setting("/proc/sys/kernel/perf_event_paranoid", &v))
		report_add(r, VERDICT_PROBLEM, "perf_event_paranoid", NULL,
			   "no such setting: this kernel has no perf events");
	else
		report_add(r, VERDICT_OK, "perf_event_paranoid", NULL,
			   "%ld, which does not concern root or CAP_PERFMON", v);
}

/* The file is there in the first network namespace only. */
static void check_jit(struct report *r)
{
	long v;

	if (!read_setting("/proc/sys/net/core/bpf_jit_enable", &v))
		report_add(r, VERDICT_NOTE, "BPF JIT", NULL,
			   "cannot be told (only root, in the first network namespace, may)");
	else if (v)
		report_add(r, VERDICT_OK, "BPF JIT", NULL, "on (%ld)", v);
	else
		report_add(r, VERDICT_LIMIT, "BPF JIT", "sysctl net.core.bpf_jit_enable=1",
			   "off: every event costs more, and there is no fentry");
}

bool doctor_check_host(struct report *r, const struct config *conf)
{
	r->group = "host";
	check_privileges(r);
	check_lockdown(r);
	check_tracefs(r);
	check_kprobes(r);
	check_fentry(r, check_types(r, conf));
	check_pages(r);
	check_kptr_restrict(r);
	check_unprivileged_bpf(r);
	check_perf_event_paranoid(r);
	check_jit(r);
	doctor_check_libbcc(r);
	return report_verdict(r) != VERDICT_PROBLEM;
}
