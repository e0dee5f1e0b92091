    .section .rodata
    .global heng_redteam_en_begin, heng_redteam_en_end, heng_redteam_zh_begin, heng_redteam_zh_end
heng_redteam_en_begin:
    .incbin "corpus/attacks_en.txt"
heng_redteam_en_end:
heng_redteam_zh_begin:
    .incbin "corpus/attacks_zh.txt"
heng_redteam_zh_end:
    .section .note.GNU-stack, "", @progbits
