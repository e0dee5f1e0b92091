# The policies that come with Heng, as bytes of the program.
.section .rodata
.global heng_marketing_begin, heng_marketing_end, heng_suitability_begin, heng_suitability_end
heng_marketing_begin:
.incbin "policies/marketing.toml"
heng_marketing_end:
heng_suitability_begin:
.incbin "policies/suitability.toml"
heng_suitability_end:
.section .note.GNU-stack,"",@progbits
