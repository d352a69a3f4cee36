# Writes the manual page from what the program itself says in --help.
#   cmake -DPROGRAM=build/isthmus -DVERSION=0.1.0 -DOUT=isthmus.1 -P sim/commands/manual.cmake

function(help out)
  execute_process(COMMAND ${PROGRAM} ${ARGN} --help OUTPUT_VARIABLE text RESULT_VARIABLE result)
  if(NOT result EQUAL 0)
    message(FATAL_ERROR "isthmus ${ARGN} --help failed")
  endif()
  string(REPLACE "\\" "\\e" text "${text}")
  string(REPLACE "-" "\\-" text "${text}")
  string(REGEX REPLACE "(^|\n)([.'])" "\\1\\\\&\\2" text "${text}")
  set(${out} "${text}" PARENT_SCOPE)
endfunction()

help(overview)
string(CONCAT page ".TH ISTHMUS 1 \"\" \"Isthmus ${VERSION}\" \"User Commands\"\n"
                   ".SH NAME\nisthmus \\- communication studies of distributed training, simulated with real numerics\n"
                   ".SH SYNOPSIS\n.B isthmus\nCOMMAND [ARGUMENTS]\n.SH DESCRIPTION\n.nf\n${overview}.fi\n")
string(REGEX MATCHALL "\n  [a-z]+  " commands "${overview}")
foreach(line ${commands})
  string(STRIP "${line}" command)
  help(text ${command})
  string(TOUPPER ${command} title)
  string(APPEND page ".SH ${title}\n.nf\n${text}.fi\n")
endforeach()
string(APPEND page ".SH FILES\n.nf\n/usr/share/isthmus/scenarios, /usr/share/isthmus/platforms\n.fi\n")
file(WRITE ${OUT} "${page}")
