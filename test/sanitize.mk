# SPDX-License-Identifier: Apache-2.0
# The same suites on a build that stops at the first wrong address, leak or undefined step (gcc's sanitizers), or promise of
# the policy that a plan breaks (ALLOT_VERIFY).
SANITIZE_SUITES := unit policy-test crash $(if $(wildcard test/fuzz.mk),fuzz)
SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer -U_FORTIFY_SOURCE -DALLOT_VERIFY

sanitize:
	+@$(MAKE) CC=gcc BUILD=build-asan CFLAGS='-O1 -g' EXTRA='$(SANITIZE)' sanitized

sanitized: all unit-programs
	+@ASAN_OPTIONS=detect_stack_use_after_return=1:strict_string_checks=1 UBSAN_OPTIONS=print_stacktrace=1 SUITE_SECONDS=1500 \
	  $(RUN_SUITES) $(SANITIZE_SUITES)

.PHONY: sanitize sanitized
