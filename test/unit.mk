# SPDX-License-Identifier: Apache-2.0
# Unit tests: test/unit/test_X.c, one program each, cmocka. Backends' own objects are linked where a test names them.
UNIT_TESTS := $(patsubst test/unit/%.c,$(BUILD)/unit/%,$(wildcard test/unit/test_*.c))
unit: unit-programs
	+@$(RUN_SUITES) $(UNIT_TESTS)
unit-programs: $(UNIT_TESTS)
.PHONY: unit unit-programs

$(BUILD)/unit/%: $(BUILD)/obj/test/unit/%.o $(CORE)
	@mkdir -p $(@D)
	$(call say,LINK)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(LIBS) -lcmocka
