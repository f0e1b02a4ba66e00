# SPDX-License-Identifier: Apache-2.0
# make bench: each figure beside its limit, in one run, as ratios (above 1: over the limit). A bench is a program in
# test/bench/; a line here runs it. One that is over its limit makes the run fail, after all have run.
BENCH := $(BUILD)/bench

$(BENCH)/bench_store: $(BUILD)/obj/test/bench/bench_store.o $(CORE)
	@mkdir -p $(@D)
	$(call say,LINK)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(LIBS)

bench: all $(BENCH)/bench_store $(addprefix $(BENCH)/,$(filter bench_plan bench_fill bench_simulate bench_libvirt,$(patsubst test/bench/%.c,%,$(wildcard test/bench/*.c))))
	@test/bench/run $(BENCH)
.PHONY: bench
