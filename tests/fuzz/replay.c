/* SPDX-License-Identifier: MIT */
/* Runs one fuzz target over the files named, without libFuzzer: for gcc and valgrind. */
#include "fuzz.h"

static int replay(const char *path)
{
	static uint8_t buf[1 << 20];
	uint8_t *copy;
	size_t n;
	FILE *f;

	f = fopen(path, "re");
	if (!f) {
		perror(path);
		return 1;
	}
	n = fread(buf, 1, sizeof(buf), f);
	fclose(f);
	copy = malloc(n ? n : 1);
	if (!copy)
		return 1;
	memcpy(copy, buf, n);
	LLVMFuzzerTestOneInput(copy, n);
	free(copy);
	return 0;
}

int main(int argc, char **argv)
{
	int i, bad = 0;

	for (i = 1; i < argc; i++)
		bad |= replay(argv[i]);
	return bad;
}
