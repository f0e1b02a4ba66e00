# SPDX-License-Identifier: Apache-2.0
# Tests on real OpenStack services (test/openstack/): the lab is started once for all of them. LAB=FOLDER uses one that runs.
# The unpacked packages and the first databases are kept: OPENSTACK_CACHE.
OPENSTACK_CACHE ?= build/openstack
OPENSTACK_TESTS := $(sort $(wildcard test/openstack/*.sh))
WITH_OPENSTACK = LAB_LOG=$(BUILD)/log/openstack test/lab/with-openstack --limits --computes 2 --cache $(OPENSTACK_CACHE) --

openstack-test: all $(LIBVIRT_DRIVE)
	+@mkdir -p $(BUILD)/log
	+@$(WITH_OPENSTACK) env $(RUN_SUITES) $(OPENSTACK_TESTS)
# It waits more than it works: beside the other suites.
SUITES := openstack-test+ $(SUITES)

# The demo, and the bench, on a lab of their own.
LARGE_LAB = test/lab/with-openstack --limits --computes 2 --gpus T4=64,V100=64,A100=64,H100=64 --cache $(OPENSTACK_CACHE) --
demo-openstack: all
	@BUILD=$(BUILD) $(LARGE_LAB) test/demo-openstack
$(BUILD)/bench/bench_openstack: $(BUILD)/obj/test/bench/bench_openstack.o
	@mkdir -p $(@D)
	$(call say,LINK)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(openstack_LIBS) -ljansson -lpthread
bench-openstack: all $(BUILD)/bench/bench_openstack
	@BUILD=$(BUILD) $(LARGE_LAB) test/bench/openstack-bench
.PHONY: openstack-test demo-openstack bench-openstack

$(BUILD)/unit/test_backend_openstack_instance: $(call objects,backends/openstack.c backends/openstack_*.c $(openstack_SHARES))
$(BUILD)/unit/test_backend_openstack_instance: override LIBS += $(openstack_LIBS)
$(BUILD)/unit/test_backend_openstack_quota: $(call objects,backends/openstack.c backends/openstack_*.c $(openstack_SHARES))
$(BUILD)/unit/test_backend_openstack_quota: override LIBS += $(openstack_LIBS)
$(BUILD)/fuzz/fuzz_cloud_thing: $(call objects,backends/openstack.c backends/openstack_*.c $(openstack_SHARES))
$(BUILD)/fuzz/fuzz_cloud_thing: override LIBS += $(openstack_LIBS)
