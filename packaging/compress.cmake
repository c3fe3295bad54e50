# compress(FROM TO): a file by gzip, the same bytes at each build.
function(compress from to)
        get_filename_component(name ${to} NAME)
        add_custom_command(OUTPUT ${to} COMMAND gzip -9nc ${from} > ${to} DEPENDS ${from} VERBATIM)
        add_custom_target(compress-${name} ALL DEPENDS ${to})
endfunction()
