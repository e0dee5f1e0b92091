# The trained weights as bytes of the program.
.section .rodata
.balign 8
.global heng_injection_begin, heng_injection_end
heng_injection_begin:
.incbin "models/injection.lin"
heng_injection_end:
.section .note.GNU-stack,"",@progbits
