# SPDX-License-Identifier: Apache-2.0
# HTTP and identity: what their unit tests and fuzzers link. The tests speak with test/lab/scripted-server.
HTTP_OBJECTS := $(call objects,backends/http*.c)
IDENTITY_OBJECTS := $(HTTP_OBJECTS) $(call objects,backends/openstack_catalog.c backends/openstack_clouds*.c backends/openstack_identity*.c)
$(addprefix $(BUILD)/unit/,test_http test_http_reason): $(HTTP_OBJECTS)
$(addprefix $(BUILD)/unit/,test_openstack_clouds test_openstack_identity): $(IDENTITY_OBJECTS)
$(addprefix $(BUILD)/unit/,test_http test_http_reason test_openstack_clouds test_openstack_identity): override LIBS += $(openstack_LIBS)

# Sessions from a shell, for test/openstack/identity.sh.
OPENSTACK_SESSION := $(BUILD)/openstack/session
$(OPENSTACK_SESSION): $(call objects,test/openstack/session.c) $(IDENTITY_OBJECTS) $(CORE)
	@mkdir -p $(@D)
	$(call say,LINK)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(LIBS) $(openstack_LIBS)
openstack-test: $(OPENSTACK_SESSION)

$(BUILD)/fuzz/fuzz_http: $(IDENTITY_OBJECTS)
$(BUILD)/fuzz/fuzz_http: override LIBS += $(openstack_LIBS)
