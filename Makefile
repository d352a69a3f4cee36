# make run     installs what is missing (Debian 12), builds the program, and runs the quick start
# make test    installs what is missing, builds all, and runs all tests
# make package builds build/isthmus.deb
# make bench   builds and runs the benchmarks
# make reality runs the same scenarios over really slow networks and through the simulator (root; some minutes)

BUILD := build
JOBS := $(shell nproc)

.PHONY: run test package bench reality program everything clean

run: program
	$(BUILD)/isthmus run scenarios/quickstart.json --again

test: everything
	ctest --test-dir $(BUILD) --output-on-failure --no-tests=error -j $(JOBS)

package: packages-for-package program
	cd $(BUILD) && cpack -G DEB

bench: packages-for-test
	cmake --preset release -DISTHMUS_BENCHMARKS=ON
	cmake --build --preset release -j $(JOBS)
	$(BUILD)/tests/bench/benchmarks

reality: everything
	tests/reality/run.sh --build $(BUILD)

program: packages-for-run
	cmake --preset release
	cmake --build --preset release -j $(JOBS) --target isthmus vega

everything: packages-for-test
	cmake --preset release
	cmake --build --preset release -j $(JOBS)

packages-for-%:
	@.ci/install-packages $*

clean:
	rm -rf build build-*
