/* SPDX-License-Identifier: MIT */
/*
 * libbcc_bpf does the attaching. It prints what went wrong to stderr, which would mix
 * with our own lines, so stderr points at a memory file while it works, and the first
 * line of that becomes the reason.
 */
#include "bpf/attach.h"

#include <bcc/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/io.h"
#include "bpf/kernel.h"
#include "bpf/kprobe.h"

struct hush {
	int saved;
	int file;
};

static void hush_begin(struct hush *q)
{
	fflush(stderr);
	q->saved = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
	q->file = memfd_create("linux_net_kernel stderr", MFD_CLOEXEC);
	if (q->saved >= 0 && q->file >= 0)
		dup2(q->file, STDERR_FILENO);
}

static void hush_end(struct hush *q, struct text *said)
{
	fflush(stderr);
	if (q->saved >= 0) {
		dup2(q->saved, STDERR_FILENO);
		close(q->saved);
	}
	if (q->file >= 0) {
		lseek(q->file, 0, SEEK_SET);
		read_all(q->file, said, 65536);
		close(q->file);
	}
}

static int attach_kprobe(struct hook *h)
{
	int fd = kprobe_attach(h);

	if (fd < 0)
		errno = -fd;
	return fd;
}

static int attach_tracepoint(struct hook *h)
{
	char category[HOOK_TARGET_MAX], *colon;

	strcpy(category, h->target);
	colon = strchr(category, ':');
	*colon = '\0';
	return bpf_attach_tracepoint(hook_called_fd(h), category, colon + 1);
}

static int attach_kind(struct hook *h)
{
	switch (h->kind) {
	case HOOK_FENTRY:
	case HOOK_FEXIT:
		return bpf_attach_kfunc(hook_called_fd(h));
	case HOOK_KPROBE:
	case HOOK_KRETPROBE:
		return attach_kprobe(h);
	case HOOK_RAW_TRACEPOINT:
		return h->typed ? bpf_attach_kfunc(hook_called_fd(h))
				: bpf_attach_raw_tracepoint(hook_called_fd(h), h->target);
	case HOOK_TRACEPOINT:
		return attach_tracepoint(h);
	case HOOK_KINDS:
		break;
	}
	return -EINVAL;
}

static bool is_kprobe(const struct hook *h)
{
	return h->kind == HOOK_KPROBE || h->kind == HOOK_KRETPROBE;
}

/* What can be said before the kernel is asked. */
static int precheck(struct hook *h)
{
	if (is_kprobe(h) && kernel_kprobe_refusal()) {
		text_puts(&h->why, kernel_kprobe_refusal());
		return -EOPNOTSUPP;
	}
	if (h->kind == HOOK_TRACEPOINT && !kernel_tracefs()) {
		text_puts(&h->why, "tracefs is not mounted (" TRACEFS_HINT ")");
		return -ENOENT;
	}
	return 0;
}

/* Adds what libbcc_bpf said to *said. */
static int attach_once(struct hook *h, struct text *said)
{
	struct hush q;
	int fd, err;

	hush_begin(&q);
	errno = 0;
	fd = attach_kind(h);
	err = errno;
	hush_end(&q, said);
	if (fd < 0)
		return err ? -err : -EINVAL;
	h->link_fd = fd;
	fcntl(fd, F_SETFD, FD_CLOEXEC);
	return 0;
}

/* Under the plain name the kernel does not know it: is it there under a suffix? kallsyms
 * is read only now, for it takes 50 ms. */
static bool find_suffixed(struct hook *h, bool any_suffix)
{
	uint64_t address;

	return !kernel_find_symbol(h->target, any_suffix, h->symbol, sizeof(h->symbol), &address) &&
	       strcmp(h->symbol, h->target);
}

int attach_hook(struct hook *h, bool any_suffix)
{
	struct text said = { 0 };
	int err;

	err = precheck(h);
	if (err)
		return err;
	err = attach_once(h, &said);
	if (err == -ENOENT && is_kprobe(h)) {
		if (find_suffixed(h, any_suffix)) {
			text_reset(&said);
			err = attach_once(h, &said);
		} else {
			text_puts(&h->why, "not a function of this kernel (inlined, or absent)");
		}
	}
	if (err && h->kind == HOOK_RAW_TRACEPOINT && (err == -ENOENT || err == -EINVAL))
		text_puts(&h->why, "not a tracepoint of this kernel");
	else if (err && !h->why.len && said.len)
		text_add_escaped(&h->why, said.s, strcspn(said.s, "\n"), false);
	else if (err && !h->why.len)
		text_printf(&h->why, "the kernel did not attach it: %s", strerror(-err));
	text_free(&said);
	return err;
}

void detach_hooks(struct hooks *hs)
{
	int i;

	for (i = 0; i < hs->n; i++) {
		if (hs->v[i].link_fd < 0)
			continue;
		close(hs->v[i].link_fd);
		hs->v[i].link_fd = -1;
		kprobe_detached(&hs->v[i]);
	}
}
