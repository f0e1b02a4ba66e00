# SPDX-License-Identifier: Apache-2.0
# The policy: what the checker says (check/NAME.in, NAME.err), decisions as data (NAME.case), the sharing function by
# published and own examples (share/). `make golden` rewrites the expectations; a person reads the difference.
POLICY_CASES := $(BUILD)/test/policy/run_cases
POLICY_DATA  := $(sort $(wildcard test/policy/*.case) $(wildcard test/policy/check/*.in))
SHARE_CASES  := $(BUILD)/test/policy/run_share
SHARE_DATA   := $(sort $(wildcard test/policy/share/*.json) $(wildcard test/policy/share/*.in))

policy-test: $(POLICY_CASES) $(SHARE_CASES)
	@$(POLICY_CASES) $(POLICY_DATA)
	@$(POLICY_CASES) --clean policies/*.policy
	@$(SHARE_CASES) $(SHARE_DATA)

golden: $(POLICY_CASES) $(SHARE_CASES)
	@$(POLICY_CASES) --golden $(POLICY_DATA)
	@$(SHARE_CASES) --golden $(SHARE_DATA)

# A million random problems against the slow reference.
share-long: $(BUILD)/unit/test_fill
	@ROUNDS=1000000 $<
LONG_SUITES += share-long
.PHONY: share-long

$(BUILD)/test/policy/%: $(BUILD)/obj/test/policy/%.o $(CORE)
	@mkdir -p $(@D)
	$(call say,LINK)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(LIBS)

.PHONY: policy-test golden

policy-bench: $(BUILD)/bench/bench_plan $(BUILD)/bench/bench_fill
	@$(BUILD)/bench/bench_plan; plan=$$?; $(BUILD)/bench/bench_fill && exit $$plan

$(BUILD)/bench/bench_plan $(BUILD)/bench/bench_fill $(BUILD)/bench/bench_simulate: $(BUILD)/bench/%: $(BUILD)/obj/test/bench/%.o $(CORE)
	@mkdir -p $(@D)
	$(call say,LINK)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(LIBS)

.PHONY: policy-bench

# A million random worlds for the plan of reclaims (3,000 in each run of the unit tests).
reclaim-long: $(BUILD)/unit/test_reclaim_rounds
	+@RECLAIM_WORLDS=1000000 SUITE_SECONDS=1800 $(RUN_SUITES) $<
LONG_SUITES += reclaim-long
.PHONY: reclaim-long

# Random policies, facts and histories against a plain reference: test/policy/properties.c.
PROPERTIES := $(BUILD)/test/policy/properties
$(PROPERTIES): $(BUILD)/obj/test/policy/reference.o
policy-properties: $(PROPERTIES)
	@$< 3000
policy-properties-long: $(PROPERTIES)
	@$< 1000000 7
SUITES += policy-properties
LONG_SUITES += policy-properties-long
.PHONY: policy-properties policy-properties-long
