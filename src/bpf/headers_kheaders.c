/* SPDX-License-Identifier: MIT */
/*
 * libarchive is opened at run time: most hosts never come here, and no other process
 * should map it. Its headers are not needed to build; what is used of its interface has
 * been the same since 3.0 (libarchive.so.13).
 *
 * libarchive is only asked to read. Creating the files is done here, below a directory
 * descriptor, so that no entry can leave the directory.
 */
#include "bpf/headers_kheaders.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"

#define LIBARCHIVE "libarchive.so.13"

/* A kheaders archive of 6.12 is 25 MB in 10,000 files; one that does not end is no such. */
#define MAX_FILES 100000
#define MAX_BYTES ((int64_t)1 << 30)

enum {
	ARCHIVE_EOF = 1,
	ARCHIVE_OK = 0,
	ARCHIVE_WARN = -20
};

struct archive;
struct archive_entry;

/* The functions used, under libarchive's names without "archive_". */
struct lib {
	void *handle;
	struct archive *(*read_new)(void);
	int (*read_support_format_tar)(struct archive *a);
	int (*read_support_filter_xz)(struct archive *a);
	int (*read_open_fd)(struct archive *a, int fd, size_t block);
	int (*read_next_header)(struct archive *a, struct archive_entry **entry);
	ssize_t (*read_data)(struct archive *a, void *buf, size_t len);
	int (*read_free)(struct archive *a);
	const char *(*error_string)(struct archive *a);
	const char *(*entry_pathname)(struct archive_entry *entry);
	mode_t (*entry_filetype)(struct archive_entry *entry);
	const char *(*entry_hardlink)(struct archive_entry *entry);
};

static int find_functions(struct lib *lib, struct text *why)
{
	const struct {
		const char *name;
		void *to;
	} need[] = {
		{ "archive_read_new", &lib->read_new },
		{ "archive_read_support_format_tar", &lib->read_support_format_tar },
		{ "archive_read_support_filter_xz", &lib->read_support_filter_xz },
		{ "archive_read_open_fd", &lib->read_open_fd },
		{ "archive_read_next_header", &lib->read_next_header },
		{ "archive_read_data", &lib->read_data },
		{ "archive_read_free", &lib->read_free },
		{ "archive_error_string", &lib->error_string },
		{ "archive_entry_pathname", &lib->entry_pathname },
		{ "archive_entry_filetype", &lib->entry_filetype },
		{ "archive_entry_hardlink", &lib->entry_hardlink },
	};
	size_t i;
	void *f;

	for (i = 0; i < sizeof(need) / sizeof(need[0]); i++) {
		f = dlsym(lib->handle, need[i].name);
		if (!f) {
			text_printf(why, LIBARCHIVE " has no %s", need[i].name);
			return -ENOSYS;
		}
		/* ISO C has no cast from an object to a function pointer. */
		memcpy(need[i].to, &f, sizeof(f));
	}
	return 0;
}

static int open_library(struct lib *lib, struct text *why)
{
	int err;

	lib->handle = dlopen(LIBARCHIVE, RTLD_NOW | RTLD_LOCAL);
	if (!lib->handle) {
		text_puts(why, "unpacking needs " LIBARCHIVE " (package libarchive13): ");
		text_puts(why, dlerror());
		return -ENOENT;
	}
	err = find_functions(lib, why);
	if (err)
		dlclose(lib->handle);
	return err;
}

/* An entry's path below the directory: no leading '/', no "..". NULL for any other. "" is
 * the directory itself. */
static const char *safe_path(const char *path)
{
	const char *p, *end;

	while (!strncmp(path, "./", 2))
		path += 2;
	if (*path == '/' || strlen(path) >= PATH_MAX)
		return NULL;
	for (p = path; *p; p = *end ? end + 1 : end) {
		end = strchrnul(p, '/');
		if (end - p == 2 && !memcmp(p, "..", 2))
			return NULL;
	}
	return strcmp(path, ".") ? path : "";
}

/* What is left of one file; `budget` is what the whole archive may still unpack to. */
static int copy_data(const struct lib *lib, struct archive *a, int dirfd, const char *path,
		     int64_t *budget)
{
	struct text data = { 0 };
	char chunk[65536];
	ssize_t n;
	int err = 0;

	while (!err && (n = lib->read_data(a, chunk, sizeof(chunk))) != 0) {
		if (n < 0)
			err = -EBADMSG;
		else if ((*budget -= n) < 0)
			err = -EFBIG;
		else
			text_add(&data, chunk, (size_t)n);
	}
	if (!err && data.cut)
		err = -EFBIG;
	if (!err)
		err = write_file_at(dirfd, path, text_str(&data), data.len);
	text_free(&data);
	return err;
}

static int bad_archive(const struct lib *lib, struct archive *a, struct text *why)
{
	const char *s = lib->error_string(a);

	text_puts(why, "reading the archive: ");
	text_puts(why, s ? s : "unknown error");
	return -EBADMSG;
}

static int refuse(const char *path, const char *what, struct text *why)
{
	text_puts(why, "the archive is refused: ");
	text_add_escaped(why, path, strlen(path), false);
	text_printf(why, " %s", what);
	return -EBADMSG;
}

/*
 * Directories are made with the files in them. Links are left out: the archives have three
 * (include/dt-bindings/...), which nothing here includes, and where none is made no later
 * entry can be led out of the directory by one.
 */
static int unpack_entry(const struct lib *lib, struct archive *a, struct archive_entry *entry,
			int dirfd, int64_t *budget, struct text *why)
{
	const char *name = lib->entry_pathname(entry), *path;
	mode_t type = lib->entry_filetype(entry) & S_IFMT;
	int err;

	path = name ? safe_path(name) : NULL;
	if (!path)
		return refuse(name ? name : "(an entry without a name)", "leads out of it", why);
	if (S_ISDIR(type) || S_ISLNK(type) || lib->entry_hardlink(entry))
		return 0;
	if (!S_ISREG(type) || !*path)
		return refuse(path, "is neither a file nor a directory", why);
	err = copy_data(lib, a, dirfd, path, budget);
	if (err == -EBADMSG)
		return bad_archive(lib, a, why);
	if (err) {
		text_puts(why, "unpacking ");
		text_add_escaped(why, path, strlen(path), false);
		text_printf(why, ": %s", strerror(-err));
	}
	return err;
}

static int unpack(const struct lib *lib, struct archive *a, int dirfd, struct text *why)
{
	struct archive_entry *entry;
	int64_t budget = MAX_BYTES;
	int files, ret, err;

	for (files = 0; files < MAX_FILES; files++) {
		ret = lib->read_next_header(a, &entry);
		if (ret == ARCHIVE_EOF && files)
			return 0;
		if (ret == ARCHIVE_EOF) {
			text_puts(why, "the archive is empty");
			return -EBADMSG;
		}
		if (ret < ARCHIVE_WARN)
			return bad_archive(lib, a, why);
		err = unpack_entry(lib, a, entry, dirfd, &budget, why);
		if (err)
			return err;
	}
	text_printf(why, "the archive has more than %d files", MAX_FILES);
	return -EFBIG;
}

static int unpack_fd(const struct lib *lib, int fd, int dirfd, struct text *why)
{
	struct archive *a = lib->read_new();
	int err;

	if (!a) {
		text_puts(why, "unpacking: out of memory");
		return -ENOMEM;
	}
	/* Without xz built in, libarchive warns and would run a program: then no. */
	if (lib->read_support_format_tar(a) != ARCHIVE_OK ||
	    lib->read_support_filter_xz(a) != ARCHIVE_OK ||
	    lib->read_open_fd(a, fd, 1 << 20) != ARCHIVE_OK)
		err = bad_archive(lib, a, why);
	else
		err = unpack(lib, a, dirfd, why);
	lib->read_free(a);
	return err;
}

int headers_kheaders_unpack(const char *archive, const char *work, struct text *why)
{
	struct lib lib = { 0 };
	int fd, dirfd = -1, err;

	fd = open(archive, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		err = -errno;
		text_printf(why, "%s: %s", archive, strerror(-err));
		if (err == -ENOENT)
			text_puts(why, " (try: modprobe kheaders)");
		return err;
	}
	err = open_library(&lib, why);
	if (err)
		goto close_archive;
	dirfd = open(work, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dirfd < 0) {
		err = -errno;
		text_printf(why, "%s: %s", work, strerror(-err));
	} else {
		err = unpack_fd(&lib, fd, dirfd, why);
		close(dirfd);
	}
	dlclose(lib.handle);
close_archive:
	close(fd);
	return err;
}
