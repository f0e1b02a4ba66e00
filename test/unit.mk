# Unit tests: test/unit/test_X.c, one program each, cmocka. Backends' own objects are linked where a test names them.
UNIT_TESTS := $(patsubst test/unit/%.c,$(BUILD)/unit/%,$(wildcard test/unit/test_*.c))
unit: $(UNIT_TESTS)
	@for t in $(UNIT_TESTS); do $$t || exit 1; done
.PHONY: unit

$(BUILD)/unit/%: $(BUILD)/obj/test/unit/%.o $(CORE)
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) -o $@ $^ $(LIBS) -lcmocka
