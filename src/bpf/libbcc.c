/* SPDX-License-Identifier: MIT */
#include "bpf/libbcc.h"

#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>

#define LIBBCC "libbcc.so.0"

static bool bind_symbol(void *lib, const char *name, void *slot)
{
	void *sym = dlsym(lib, name);

	memcpy(slot, &sym, sizeof(sym));
	return sym;
}

int libbcc_open(struct libbcc *bcc, struct text *said)
{
	struct link_map *map;
	char *real;
	void *lib;
	bool ok;

	lib = dlopen(LIBBCC, RTLD_NOW | RTLD_LOCAL);
	if (!lib) {
		text_printf(said, "libbcc cannot be loaded: %s", dlerror());
		return -ENOENT;
	}
	ok = bind_symbol(lib, "bpf_module_create_c_from_string", &bcc->create);
	ok = ok && bind_symbol(lib, "bpf_num_functions", &bcc->num_functions);
	ok = ok && bind_symbol(lib, "bpf_function_name", &bcc->function_name);
	ok = ok && bind_symbol(lib, "bpf_function_start", &bcc->function_start);
	ok = ok && bind_symbol(lib, "bpf_function_size", &bcc->function_size);
	ok = ok && bind_symbol(lib, "bpf_module_license", &bcc->license);
	ok = ok && bind_symbol(lib, "bpf_module_kern_version", &bcc->kern_version);
	ok = ok && bind_symbol(lib, "bpf_table_fd", &bcc->table_fd);
	ok = ok && bind_symbol(lib, "bcc_func_load", &bcc->func_load);
	ok = ok && bind_symbol(lib, "bpf_num_tables", &bcc->num_tables);
	ok = ok && bind_symbol(lib, "bpf_table_name", &bcc->table_name);
	ok = ok && bind_symbol(lib, "bpf_table_fd_id", &bcc->table_fd_id);
	ok = ok && bind_symbol(lib, "bpf_table_type_id", &bcc->table_type);
	ok = ok && bind_symbol(lib, "bpf_table_key_size_id", &bcc->table_key_size);
	ok = ok && bind_symbol(lib, "bpf_table_leaf_size_id", &bcc->table_leaf_size);
	ok = ok && bind_symbol(lib, "bpf_table_max_entries_id", &bcc->table_max_entries);
	ok = ok && bind_symbol(lib, "bpf_table_flags_id", &bcc->table_flags);
	if (!ok) {
		text_printf(said, LIBBCC " is too old: %s", dlerror());
		return -ENOSYS;
	}
	if (!dlinfo(lib, RTLD_DI_LINKMAP, &map)) {
		real = realpath(map->l_name, NULL);
		text_puts(said, real ? real : map->l_name);
		free(real);
	}
	return 0;
}
