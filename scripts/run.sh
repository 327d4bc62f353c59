#!/bin/sh
# SPDX-License-Identifier: MIT
#
# run.sh [ARG...]: from a fresh checkout to the running monitor.  Installs what is
# missing, builds, and starts ./linux_net_kernel with the same arguments.  What is
# said meanwhile goes to stderr.  LNK_NO_INSTALL=1 leaves the packages alone.

set -eu

top=$(cd "$(dirname "$0")/.." && pwd)
[ -n "${LNK_NO_INSTALL:-}" ] || "$top/scripts/install-deps.sh" --build --run
make -s -j"$(nproc)" -C "$top" --no-print-directory >&2
exec "$top/linux_net_kernel" "$@"
