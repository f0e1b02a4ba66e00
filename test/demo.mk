# SPDX-License-Identifier: Apache-2.0
# The demo, its test in a folder of its own, and the tour of the README (which is a command test also).
# Without +: a daemon that inherits make's job pipe would keep make waiting for as long as it lives.
demo: all
	@BUILD=$(BUILD) test/demo
demo-clean:
	@test/demo clean
demo-test: all
	+@$(RUN_SUITES) test/demo-test.sh
readme-check: all
	+@$(RUN_SUITES) test/command/readme.sh
LONG_SUITES += demo-test
.PHONY: demo demo-clean demo-test readme-check
