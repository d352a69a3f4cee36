# For cpack: the Debian packages of the libraries that the program needs. (CPack's own search would look at each of
# Vega's thousands of files.)
get_filename_component(folder ${CPACK_ISTHMUS_PROGRAM} DIRECTORY)
string(APPEND folder /_CPack_Packages/dependencies)
file(WRITE ${folder}/debian/control "Source: isthmus\n\nPackage: isthmus\nArchitecture: any\n")
execute_process(COMMAND dpkg-shlibdeps -O ${CPACK_ISTHMUS_PROGRAM} WORKING_DIRECTORY ${folder}
                OUTPUT_VARIABLE found ERROR_VARIABLE words RESULT_VARIABLE failed OUTPUT_STRIP_TRAILING_WHITESPACE)
if(failed)
  message(FATAL_ERROR "dpkg-shlibdeps (dpkg-dev) fails: ${words}")
endif()
string(REPLACE "shlibs:Depends=" "" CPACK_DEBIAN_PACKAGE_DEPENDS "${found}")
