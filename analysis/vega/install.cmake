# Installs the pinned npm packages into FOLDER, when the lock file is new. Without npm, or without network, all but
# pictures still works: a warning, no error.
#   cmake -DNPM=... -DSOURCE=analysis/vega -DFOLDER=build/vega -DSTAMP=... -P install.cmake

file(MAKE_DIRECTORY ${FOLDER})
file(COPY ${SOURCE}/package.json ${SOURCE}/package-lock.json DESTINATION ${FOLDER})
execute_process(
  COMMAND ${NPM} ci --ignore-scripts --no-audit --no-fund --loglevel=error --prefer-offline --fetch-retries=1
  WORKING_DIRECTORY ${FOLDER} RESULT_VARIABLE result OUTPUT_QUIET ERROR_VARIABLE message)
if(result EQUAL 0)
  file(TOUCH ${STAMP})
else()
  file(REMOVE_RECURSE ${FOLDER}/node_modules)
  message(WARNING "npm could not install Vega, so `isthmus plot` and `isthmus report` will not work: ${message}")
endif()
