/* SPDX-License-Identifier: MIT */
#include "bpf/cache.h"

#include <bcc/libbpf.h>
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/io.h"
#include "base/num.h"

#define CACHE_DIR "/var/cache/linux_net_kernel"
#define ENTRY_MAX ((size_t)8 << 20)
#define ENTRIES_MAX 64

/* --- key --------------------------------------------------------------------------- */

/* What tells one version of a file from another. */
static void add_file(struct text *key, const char *path)
{
	struct stat st;

	if (stat(path, &st))
		text_printf(key, "%s: none\n", path);
	else
		text_printf(key, "%s: %ju bytes, inode %ju, changed %jd.%09ld\n", path,
			    (uintmax_t)st.st_size, (uintmax_t)st.st_ino,
			    (intmax_t)st.st_ctim.tv_sec, st.st_ctim.tv_nsec);
}

/* libbcc_bpf is mapped; libbcc lies beside it and comes from the same package. */
static void add_libbcc(struct text *key)
{
	char path[PATH_MAX], *slash;
	Dl_info info;
	char *real;
	void *fn;

	*(int (**)(int)) & fn = bpf_attach_kfunc;
	if (!dladdr(fn, &info) || !(real = realpath(info.dli_fname, NULL)))
		return;
	add_file(key, real);
	snprintf(path, sizeof(path), "%s", real);
	free(real);
	slash = strrchr(path, '/');
	if (slash && (size_t)(slash - path) < sizeof(path) - sizeof("/libbcc.so.0")) {
		strcpy(slash, "/libbcc.so.0");
		add_file(key, path);
	}
}

/* The kernel's build ID. */
static void add_notes(struct text *key)
{
	struct text notes = { 0 };
	size_t i;

	if (!read_file_at(AT_FDCWD, "/sys/kernel/notes", &notes, 65536))
		for (i = 0; i < notes.len; i++)
			text_printf(key, "%02x", (unsigned char)notes.s[i]);
	text_puts(key, "\n");
	text_free(&notes);
}

bool cache_key(const struct program_request *req, struct text *key)
{
	char path[PATH_MAX];
	struct utsname un;

	if (req->headers_dir || req->headers == HEADERS_DIR || uname(&un))
		return false;
	text_printf(key, "linux_net_kernel %s, headers %s\n", VERSION,
		    headers_kind_name[req->headers]);
	text_printf(key, "%s %s %s %s\n", un.sysname, un.release, un.version, un.machine);
	add_file(key, "/proc/self/exe"); /* another build may make another program of the same */
	add_notes(key);
	add_file(key, "/sys/kernel/btf/vmlinux");
	snprintf(path, sizeof(path), "/lib/modules/%s/build/include/generated/autoconf.h",
		 un.release);
	add_file(key, path);
	snprintf(path, sizeof(path), "/lib/modules/%s/source/include/linux/skbuff.h", un.release);
	add_file(key, path);
	add_libbcc(key);
	text_puts(key, req->source);
	return !key->cut;
}

/* --- files ------------------------------------------------------------------------- */

/* FNV-1a; only names the file, the key itself is compared. */
static void entry_name(const char *key, char name[24])
{
	uint64_t h = 0xcbf29ce484222325ULL;

	for (; *key; key++)
		h = (h ^ (unsigned char)*key) * 0x100000001b3ULL;
	snprintf(name, 24, "%016" PRIx64 ".img", h);
}

static bool ours_alone(int fd)
{
	struct stat st;

	return !fstat(fd, &st) && st.st_uid == geteuid() && !(st.st_mode & 022);
}

static int open_dir(bool create)
{
	int fd;

	if (create && mkdir(CACHE_DIR, 0700) && errno != EEXIST)
		return -errno;
	fd = open(CACHE_DIR, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (ours_alone(fd))
		return fd;
	close(fd);
	return -EPERM;
}

int cache_read(const char *key, struct text *image)
{
	int dir, fd, err;
	char name[24];

	dir = open_dir(false);
	if (dir < 0)
		return dir;
	entry_name(key, name);
	fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	err = fd < 0 ? -errno : ours_alone(fd) ? read_all(fd, image, ENTRY_MAX) : -EPERM;
	if (fd >= 0)
		close(fd);
	close(dir);
	return err;
}

static int is_entry(const struct dirent *d)
{
	size_t n = strlen(d->d_name);

	return n > 4 && !strcmp(d->d_name + n - 4, ".img");
}

/* What cache_write() was at when its process was killed: "NAME.img.PID". */
static int is_torso(const struct dirent *d)
{
	const char *p = strstr(d->d_name, ".img.");
	uint64_t pid;

	return p && !num_parse(p + 5, 1, INT_MAX, &pid) && kill((pid_t)pid, 0) && errno == ESRCH;
}

static int is_prunable(const struct dirent *d)
{
	return is_entry(d) || is_torso(d);
}

/* Every other kernel, source or option makes an entry: past the bound all go. */
static void prune(int dir)
{
	struct dirent **v;
	int n, i;

	n = scandirat(dir, ".", &v, is_prunable, NULL);
	for (i = 0; i < n; i++) {
		if (n > ENTRIES_MAX || !is_entry(v[i]))
			unlinkat(dir, v[i]->d_name, 0);
		free(v[i]);
	}
	if (n >= 0)
		free(v);
}

int cache_write(const char *key, const struct text *image)
{
	char name[24], temp[48];
	int dir, err;

	if (!image->len || image->cut)
		return -EINVAL;
	dir = open_dir(true);
	if (dir < 0)
		return dir;
	prune(dir);
	entry_name(key, name);
	snprintf(temp, sizeof(temp), "%s.%d", name, (int)getpid());
	err = write_file_at(dir, temp, image->s, image->len);
	if (!err && renameat(dir, temp, dir, name))
		err = -errno;
	if (err)
		unlinkat(dir, temp, 0);
	close(dir);
	return err;
}
