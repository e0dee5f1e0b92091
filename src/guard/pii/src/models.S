# The trained taggers and the default policy as bytes of the program.
.section .rodata
.balign 8
.global heng_pii_en_begin, heng_pii_en_end, heng_pii_zh_begin, heng_pii_zh_end, heng_pii_policy_begin, heng_pii_policy_end
heng_pii_en_begin:
.incbin "models/names_en.tag"
heng_pii_en_end:
heng_pii_zh_begin:
.incbin "models/names_zh.tag"
heng_pii_zh_end:
heng_pii_policy_begin:
.incbin "policies/personal_data.toml"
heng_pii_policy_end:
.section .note.GNU-stack,"",@progbits
