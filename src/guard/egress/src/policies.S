# The policies that come with Heng, as bytes of the program.
.section .rodata
.global heng_egress_begin, heng_egress_end, heng_tools_begin, heng_tools_end
heng_egress_begin:
.incbin "policies/egress.toml"
heng_egress_end:
heng_tools_begin:
.incbin "policies/tools.toml"
heng_tools_end:
.section .note.GNU-stack,"",@progbits
