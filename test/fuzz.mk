# SPDX-License-Identifier: Apache-2.0
# Fuzzing with libFuzzer (clang): test/fuzz/fuzz_X.c, one program each, seeds in test/fuzz/seeds/X.
# `make fuzz FUZZ_SECONDS=600` runs each so long; new inputs stay in build-fuzz/corpus/X.
FUZZ_SECONDS ?= 20
FUZZERS := $(patsubst test/fuzz/fuzz_%.c,%,$(wildcard test/fuzz/fuzz_*.c))
fuzz:
	$(MAKE) BUILD=build-fuzz CC=clang EXTRA='-O1 -fsanitize=fuzzer-no-link,address,undefined' fuzz-run
fuzz-run: $(FUZZERS:%=$(BUILD)/fuzz/fuzz_%)
	@for x in $(FUZZERS); do mkdir -p $(BUILD)/corpus/$$x && echo "fuzz $$x" && \
	  $(BUILD)/fuzz/fuzz_$$x -max_total_time=$(FUZZ_SECONDS) -max_len=65536 -timeout=10 -verbosity=0 \
	  -artifact_prefix=$(BUILD)/fuzz/ $(BUILD)/corpus/$$x test/fuzz/seeds/$$x || exit 1; done
.PHONY: fuzz fuzz-run

$(BUILD)/fuzz/%: $(BUILD)/obj/test/fuzz/%.o $(CORE)
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) -fsanitize=fuzzer -o $@ $^ $(LIBS)
$(BUILD)/fuzz/fuzz_yaml: $(BUILD)/obj/cmd/config.o
