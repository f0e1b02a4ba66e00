# The ground of the commands: what its unit tests link. test_command has a table of its own.
CMD_GROUND := $(call objects,$(patsubst %,cmd/%.c,command complete config help manual output output_progress \
  output_table parse))
$(BUILD)/unit/test_command: $(CMD_GROUND)
$(BUILD)/unit/test_output: $(CMD_GROUND) $(BUILD)/obj/cmd/table.o $(BUILD)/obj/test/unit/no_store.o
$(BUILD)/unit/test_config: $(BUILD)/obj/cmd/config.o
