# SPDX-License-Identifier: Apache-2.0
# The demo, its test in a folder of its own, and the tour of the README.
# Without +: a daemon that inherits make's job pipe would keep make waiting for as long as it lives.
demo: all
	@BUILD=$(BUILD) test/demo
demo-clean:
	@test/demo clean
demo-test: all
	+@$(RUN_SUITES) test/demo-test.sh
readme-check: all
	+@$(RUN_SUITES) test/readme-check.sh
LONG_SUITES += demo-test readme-check
.PHONY: demo demo-clean demo-test readme-check
