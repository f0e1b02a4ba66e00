# SPDX-License-Identifier: Apache-2.0
# What is checked without running the program. Each item stands alone: make lint-format, make lint-tidy ...
LINT := includes-check lint-tree lint-format lint-shell lint-man lint-units lint-gcc lint-clang lint-tidy
CODE := $(shell find alloc policies backends cmd test -name '*.[ch]' 2>/dev/null | sort)
# Scripts are known by their first line. SC2016: single quotes are how one script writes another.
SCRIPTS = run .ci/run $(shell grep -rlIE '^\#!/bin/(ba)?sh' test man/examples)

lint:
	+@SUITE_SECONDS=1500 $(RUN_SUITES) $(LINT)

# Arrows point down only: cmd -> {policies, backends} -> alloc.
includes-check:
	@test/includes-check $(CODE)

lint-tree:
	@test/tree-check

lint-format:
	@clang-format --dry-run -Werror $(CODE)

format:
	@clang-format -i $(CODE)

lint-shell:
	@shellcheck -x -S warning -e SC2016,SC2317 $(SCRIPTS)

lint-man:
	@ls man/*.[1-8] >/dev/null
	@mandoc -T lint -W warning man/*.[1-8]

lint-units:
	@test/units-check

# Not a single warning, with either compiler.
lint-gcc lint-clang: lint-%:
	+@$(MAKE) CC=$* BUILD=build-$* EXTRA=-Werror all unit-programs

# Left out: swappable parameters (our amounts are distinct types), small products widened (3600 * 24), Annex K (no C library
# has it), a false alarm of clang 14 (va_list after va_copy), numbers kept as pointers (a database binding may), and values not
# set (it sees one file at a time and cannot know that a function of another gives 0 or -1: gcc and the sanitizers watch).
TIDY := clang-analyzer-*,bugprone-*,performance-*
TIDY_NOT := clang-analyzer-security.insecureAPI.* clang-analyzer-valist.* clang-analyzer-core.CallAndMessage \
  clang-analyzer-core.UndefinedBinaryOperatorResult clang-analyzer-core.uninitialized.* bugprone-easily-swappable-parameters \
  bugprone-sizeof-expression bugprone-implicit-widening-of-multiplication-result performance-no-int-to-ptr
comma := ,
lint-tidy: $(patsubst %.c,$(BUILD)/tidy/%.ok,$(filter %.c,$(CODE)))
$(BUILD)/tidy/%.ok: %.c $(wildcard alloc/*.h) test/tidy.h
	@mkdir -p $(@D)
	$(call say,TIDY)
	$(Q)clang-tidy --quiet --checks='-*,$(TIDY)$(subst $() ,,$(TIDY_NOT:%=$(comma)-%))' --warnings-as-errors='*' $< -- $(filter-out -ftrivial%,$(CFLAGS)) \
	  $(if $(filter-out alloc/err.c,$<),-include test/tidy.h) \
	  >$@.log 2>&1 || { cat $@.log; exit 1; }
	@mv $@.log $@

.PHONY: lint includes-check lint-tree lint-format format lint-shell lint-man lint-units lint-gcc lint-clang lint-tidy
