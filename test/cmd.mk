# SPDX-License-Identifier: Apache-2.0
# The ground of the commands: what its unit tests link. test_command has a table of commands of its own,
# test_table takes the program's.
$(BUILD)/unit/test_command: $(call objects,$(patsubst %,cmd/%.c,command complete config data help korean manual output \
  output_progress output_table parse principal))
$(BUILD)/unit/test_output: $(call objects,cmd/korean.c cmd/output.c cmd/output_progress.c cmd/output_table.c)
$(BUILD)/unit/test_config: $(BUILD)/obj/cmd/config.o
$(BUILD)/unit/test_table: $(filter-out %/main.o,$(call objects,cmd/*.c)) $(BUILD)/obj/test/unit/no_store.o
