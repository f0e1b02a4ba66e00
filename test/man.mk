# SPDX-License-Identifier: Apache-2.0
# The manual against the program: test/man-check says what it compares.
man-check: $(BUILD)/allot
	ALLOT=$(BUILD)/allot test/man-check
.PHONY: man-check
