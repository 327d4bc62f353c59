/* SPDX-License-Identifier: MIT */
/*
 * Probes are C that root compiles into the kernel: everything is read through a
 * descriptor whose owner and mode were looked at, links are not followed, and a file
 * name must be a plain one, for it ends up in a #line.
 */
#include "bpf/source.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/num.h"
#include "bpf/embedded.h"
#include "bpf/layout.h"
#include "bpf/splice.h"

#define PART_MAX ((size_t)1 << 20) /* bytes in one probe file */
#define PROBES "probes"

/* Headers come first and in this order; then lnk_hook_id(); then the rest of the headers,
 * and the probe files by name. */
static const char *const before_hooks[] = { "kernel.h", "event.h", "config.h" };
#define BEFORE_HOOKS (sizeof(before_hooks) / sizeof(before_hooks[0]))
static const char *const after_hooks[] = { "packet.h", "socket.h", "names.h", "rate.h", "show.h" };
/* The question is spliced behind names.h, which it uses. */
#define NAMES (BEFORE_HOOKS + 2)
#define BEFORE_QUESTION (NAMES + 1)
#define FIXED_PARTS (BEFORE_HOOKS + sizeof(after_hooks) / sizeof(after_hooks[0]))

/* The user behind sudo, else ourselves. */
static uid_t invoking_uid(void)
{
	const char *s = getenv("SUDO_UID");
	uint64_t v;

	if (geteuid() == 0 && s && !num_parse(s, 0, UINT_MAX - 1, &v))
		return (uid_t)v;
	return geteuid();
}

static bool trusted(int fd, const char *path, struct text *why)
{
	struct stat st;

	if (fstat(fd, &st)) {
		text_printf(why, "%s: %s", path, strerror(errno));
		return false;
	}
	if (st.st_uid != 0 && st.st_uid != geteuid() && st.st_uid != invoking_uid()) {
		text_printf(why,
			    "%s belongs to user %u; probes run in the kernel and must be root's or "
			    "yours (chown it, or use --probe-dir)",
			    path, st.st_uid);
		return false;
	}
	/* With an ACL the group bits are its mask: what anyone named there may do. */
	if (st.st_mode & (S_IWOTH | S_IWGRP)) {
		text_printf(why,
			    "%s can be written by others (mode %04o); probes run in the kernel: "
			    "chmod go-w it first",
			    path, st.st_mode & 07777);
		return false;
	}
	return true;
}

/* A name that may stand in a #line and is surely a probe: no editor's back-ups. */
static bool plain_name(const char *name)
{
	size_t i;

	if (!isalnum((unsigned char)name[0]) && name[0] != '_')
		return false;
	for (i = 0; name[i]; i++)
		if (!isalnum((unsigned char)name[i]) && !strchr("_-.", name[i]))
			return false;
	return true;
}

static bool is_probe(const char *name)
{
	size_t len = strlen(name);

	return len > 2 && !strcmp(name + len - 2, ".c") && plain_name(name);
}

static struct part *find_part(const struct source *src, const char *name)
{
	size_t i;

	for (i = 0; i < src->n; i++)
		if (!strcmp(src->parts[i].name, name))
			return &src->parts[i];
	return NULL;
}

/* FNV-1a: tells texts apart that nobody forges. */
static uint64_t digest(uint64_t h, const char *s, size_t len)
{
	while (len--)
		h = (h ^ (unsigned char)*s++) * 0x100000001b3ULL;
	return h;
}
#define DIGEST_OF_NOTHING 0xcbf29ce484222325ULL

/* Something else than what is built in under that name. */
static bool is_edited(const char *name, const char *text)
{
	int i;

	for (i = 0; embedded_files[i].name; i++)
		if (!strcmp(embedded_files[i].name, name))
			return strcmp(embedded_files[i].text, text) != 0;
	return true;
}

/* Takes the text over. */
static int add_part(struct source *src, const char *name, const char *dir_label, const char *origin,
		    struct text text)
{
	struct text label = { 0 };
	struct part *v, *p;
	const char *c;

	v = realloc(src->parts, (src->n + 1) * sizeof(*v));
	if (!v) {
		text_free(&text);
		return -ENOMEM;
	}
	src->parts = v;
	p = &v[src->n++];
	for (c = dir_label; *c; c++) /* it stands between quotes in a #line */
		text_add(&label, strchr("\"\\", *c) || (unsigned char)*c < ' ' ? "?" : c, 1);
	text_printf(&label, "/%s", name);
	*p = (struct part){ .name = strdup(name), .label = label.s, .text = text };
	p->origin = strdup(origin);
	p->digest = digest(DIGEST_OF_NOTHING, text_str(&text), text.len);
	p->edited = is_edited(name, text_str(&text));
	return p->name && p->label && p->origin ? 0 : -ENOMEM;
}

int source_note(struct source *src, const char *name, const char *label, uint64_t number)
{
	struct part *v;

	v = realloc(src->parts, (src->n + 1) * sizeof(*v));
	if (!v)
		return -ENOMEM;
	src->parts = v;
	v[src->n] = (struct part){
		.name = strdup(name), .label = strdup(label), .origin = strdup(""), .digest = number
	};
	src->n++;
	return v[src->n - 1].name && v[src->n - 1].label && v[src->n - 1].origin ? 0 : -ENOMEM;
}

/* -EINVAL for a FIFO or a device, which read as empty, as endless or as not yet there. */
static int read_probe(int fd, struct text *out)
{
	struct stat st;

	if (fstat(fd, &st))
		return -errno;
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	return S_ISREG(st.st_mode) ? read_all(fd, out, PART_MAX) : -EINVAL;
}

/* Reads one file into the source unless an earlier directory had it. */
static int load_file(struct source *src, int dirfd, const char *dir, const char *label,
		     const char *name, struct text *why)
{
	struct text path = { 0 }, text = { 0 };
	int fd, err = 0;

	if (find_part(src, name))
		return 0;
	text_printf(&path, "%s/%s", dir, name);
	fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0 && errno == ENOENT)
		goto out;
	if (fd < 0) {
		err = -errno;
		if (err == -ELOOP)
			text_printf(why, "%s is a symbolic link, which is not followed", path.s);
		else
			text_printf(why, "%s: %s", path.s, strerror(errno));
		goto out;
	}
	err = trusted(fd, path.s, why) ? read_probe(fd, &text) : -EPERM;
	close(fd);
	if (err == -EINVAL)
		text_printf(why, "%s: not a regular file", path.s);
	else if (err && err != -EPERM)
		text_printf(why, "%s: %s", path.s,
			    err == -EFBIG ? "larger than 1 MiB" : strerror(-err));
	if (!err && text.len != strlen(text_str(&text))) {
		text_printf(why, "%s: is not text (it has a zero byte)", path.s);
		err = -EINVAL;
	}
	if (!err)
		err = add_part(src, name, label, dir, text);
	else
		text_free(&text);
	if (!err)
		err = splice_check(src->parts[src->n - 1].label,
				   text_str(&src->parts[src->n - 1].text), why);
out:
	text_free(&path);
	return err;
}

static int is_probe_entry(const struct dirent *d)
{
	return is_probe(d->d_name);
}

static int load_dir(struct source *src, const char *dir, const char *label, bool must_exist,
		    struct text *why)
{
	struct dirent **names = NULL;
	int fd, n = 0, i, err = 0;
	size_t k;

	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0) {
		if (!must_exist && (errno == ENOENT || errno == ENOTDIR))
			return 0;
		err = -errno;
		text_printf(why, "%s: %s", dir, strerror(errno));
		return err;
	}
	if (!trusted(fd, dir, why)) {
		close(fd);
		return -EPERM;
	}
	for (k = 0; k < BEFORE_HOOKS && !err; k++)
		err = load_file(src, fd, dir, label, before_hooks[k], why);
	for (k = 0; k < FIXED_PARTS - BEFORE_HOOKS && !err; k++)
		err = load_file(src, fd, dir, label, after_hooks[k], why);
	if (!err) {
		n = scandirat(fd, ".", &names, is_probe_entry, alphasort);
		if (n < 0) {
			err = -errno;
			text_printf(why, "%s: %s", dir, strerror(errno));
		}
	}
	for (i = 0; i < n; i++) {
		if (!err)
			err = load_file(src, fd, dir, label, names[i]->d_name, why);
		free(names[i]);
	}
	free(names);
	close(fd);
	return err;
}

/* probes/ beside the executable, by the kernel's word on where that is; "" when it does not
 * say. */
static void dir_beside(char path[PATH_MAX])
{
	char *slash;
	ssize_t n;

	n = readlink("/proc/self/exe", path, PATH_MAX - sizeof(PROBES) - 1);
	path[n < 0 ? 0 : n] = '\0';
	slash = strrchr(path, '/');
	if (slash)
		strcpy(slash + 1, PROBES);
	else
		path[0] = '\0';
}

static int load_beside(struct source *src, struct text *why)
{
	char path[PATH_MAX];

	dir_beside(path);
	return path[0] ? load_dir(src, path, PROBES, false, why) : 0;
}

static int load_embedded(struct source *src)
{
	struct text text;
	int i, err;

	for (i = 0; embedded_files[i].name; i++) {
		if (find_part(src, embedded_files[i].name))
			continue;
		text = (struct text){ 0 };
		text_puts(&text, embedded_files[i].text);
		err = add_part(src, embedded_files[i].name, PROBES, "built in", text);
		if (err)
			return err;
	}
	return 0;
}

/* The fixed parts in their order, then the probes by name. */
static size_t part_rank(const char *name)
{
	size_t i;

	for (i = 0; i < BEFORE_HOOKS; i++)
		if (!strcmp(name, before_hooks[i]))
			return i;
	for (; i < FIXED_PARTS; i++)
		if (!strcmp(name, after_hooks[i - BEFORE_HOOKS]))
			return i;
	return FIXED_PARTS;
}

static int part_cmp(const void *a, const void *b)
{
	const char *na = ((const struct part *)a)->name, *nb = ((const struct part *)b)->name;
	size_t ra = part_rank(na), rb = part_rank(nb);

	if (ra != rb)
		return ra < rb ? -1 : 1;
	return strcmp(na, nb);
}

int source_load(struct source *src, const char *probe_dir, struct text *why)
{
	int err = 0;

	if (probe_dir)
		err = load_dir(src, probe_dir, probe_dir, true, why);
	if (!err)
		err = load_beside(src, why);
	if (!err)
		err = load_dir(src, DATADIR "/" PROBES, DATADIR "/" PROBES, false, why);
	if (!err)
		err = load_embedded(src);
	if (!err)
		qsort(src->parts, src->n, sizeof(*src->parts), part_cmp);
	return err;
}

void source_each_dir(const char *probe_dir, void (*use)(void *arg, const char *dir), void *arg)
{
	char beside[PATH_MAX];

	if (probe_dir)
		use(arg, probe_dir);
	dir_beside(beside);
	if (beside[0])
		use(arg, beside);
	use(arg, DATADIR "/" PROBES);
}

bool source_is_part(const char *name)
{
	return part_rank(name) < FIXED_PARTS || is_probe(name);
}

uint64_t source_digest(const struct source *src)
{
	uint64_t h = DIGEST_OF_NOTHING;
	size_t i;

	for (i = 0; i < src->n; i++) {
		h = digest(h, src->parts[i].label, strlen(src->parts[i].label) + 1);
		h = digest(h, (const char *)&src->parts[i].digest, sizeof(src->parts[i].digest));
	}
	return h;
}

void source_free(struct source *src)
{
	size_t i;

	for (i = 0; i < src->n; i++) {
		free(src->parts[i].name);
		free(src->parts[i].label);
		free(src->parts[i].origin);
		text_free(&src->parts[i].text);
	}
	free(src->parts);
	*src = (struct source){ 0 };
}

int source_hooks(const struct source *src, struct hooks *hs, struct text *why)
{
	size_t i;
	int err = 0;

	for (i = FIXED_PARTS; i < src->n && !err; i++)
		err = hooks_scan(hs, src->parts[i].label, text_str(&src->parts[i].text), why);
	return err;
}

/* What can be asked of a packet is the host's to call, from a question. A probe that calls
 * anything of the sort by itself shall find it, too; and so shall a fixed part that somebody has
 * edited. */
static bool uses_names(const struct source *src, const char *question)
{
	size_t i;

	for (i = 0; i < FIXED_PARTS; i++)
		if (src->parts[i].edited)
			return true;
	for (; i < src->n; i++)
		if (strstr(text_str(&src->parts[i].text), "lnk_"))
			return true;
	return *question;
}

void source_assemble(struct source *src, const struct hooks *hs, const char *question,
		     struct text *out)
{
	const struct part *p;
	size_t i;

	src->parts[NAMES].left_out = !uses_names(src, question);
	for (i = 0; i < src->n; i++) {
		if (i == BEFORE_HOOKS) {
			text_puts(out, "#line 1 \"hook-numbers\"\n");
			hooks_emit(hs, out);
		}
		if (i == BEFORE_QUESTION && *question)
			text_printf(out, "#line 1 \"question\"\n%s", question);
		p = &src->parts[i];
		if (p->left_out)
			continue;
		text_printf(out, "#line 1 \"%s\"\n", p->label);
		text_add(out, text_str(&p->text), p->text.len);
		if (p->text.len && p->text.s[p->text.len - 1] != '\n')
			text_puts(out, "\n");
	}
	text_puts(out, "#line 1 \"event-layout\"\n");
	layout_emit(out);
}
