# SPDX-License-Identifier: Apache-2.0
# The tests as a whole. Each suite is a target of make; one that has no rule fails. run-suites times and counts them.
SUITES := includes-check unit command-test policy-test crash man-check libvirt-test
# What takes longer than a check may; other files add theirs with +=.
LONG_SUITES += check
COMMAND_TESTS := $(sort $(wildcard test/command/*.sh))
RUN_SUITES = BUILD=$(BUILD) MAKE=$(MAKE) test/run-suites

check: all unit-programs
	+@SUITE_SECONDS=1500 $(RUN_SUITES) $(SUITES)

check-long: all unit-programs
	+@SUITE_SECONDS=3600 $(RUN_SUITES) $(LONG_SUITES)

# Tests of the real program: scripts with the environment that run-suites gives them.
command-test: all
	+@$(RUN_SUITES) $(COMMAND_TESTS)

.PHONY: check check-long command-test
