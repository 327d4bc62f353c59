#!/bin/bash
# SPDX-License-Identifier: MIT
# timeout: 1800
# tcpdump expressions before the verifier of the oldest kernel, and run by it.
. "$(dirname "$0")/../lib.sh"

cd "$TOP" || exit 1
TEST=build/opt/tests/unit/test_pcap_kernel
RUN_TIMEOUT=600 run make -s "$TEST"
check "the test is built" expect_exit 0 || exit 1
RUN_TIMEOUT=1500 run scripts/vm.sh 5.10 --no-headers --timeout 1400 -- env UNIT_TIMEOUT=1200 "$TEST"
check "5.10 takes the programs, and answers as bpf_filter() does" expect_exit 0 -- \
	expect_out 'ok - test_pcap_kernel: verifier_and_answers'
check "5.10 takes the largest programs" expect_out 'ok - test_pcap_kernel: largest'
