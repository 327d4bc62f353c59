#!/bin/sh
# SPDX-License-Identifier: MIT
# embed.sh FILE...: prints a C file with the text of each file as a string.
set -eu
echo '#include "bpf/embedded.h"'
echo 'const struct embedded_file embedded_files[] = {'
for file; do
	printf '\t{ "%s",\n' "${file##*/}"
	sed 's/[\\"]/\\&/g; s/^/\t  "/; s/$/\\n"/' "$file"
	printf '\t},\n'
done
printf '\t{ 0, 0 }\n};\n'
