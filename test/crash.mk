# SPDX-License-Identifier: Apache-2.0
# The program stopped at each of its fault points: test/crash/crash.sh.
crash: all
	@ROOT=$(CURDIR) ALLOT=$(abspath $(BUILD))/allot test/crash/crash.sh
.PHONY: crash
