# make run     installs what is missing (Debian 13 or 12), builds the program, and runs the quick start
# make test    installs what is missing, builds all, and runs all tests
# make figures installs what draws figures: Node, Vega, fonts
# make package builds build/isthmus.deb
# make bench   builds and runs the benchmarks
# make reality runs the same scenarios over really slow networks and through the simulator (root; some minutes)

BUILD := build
JOBS := $(shell nproc)
# Some tests wait for clocks and other processes most of the time.
TEST_JOBS := $(shell expr $(JOBS) + 1)

.PHONY: run figures test package bench reality program everything clean

run: program
	$(BUILD)/isthmus run scenarios/quickstart.json --again

figures: program
	@.ci/install-packages figures
	cmake --preset release
	cmake --build --preset release -j $(JOBS) --target vega

test: everything
	ctest --test-dir $(BUILD) --output-on-failure --no-tests=error -j $(TEST_JOBS)

package: figures
	@.ci/install-packages package
	cd $(BUILD) && cpack -G DEB

bench: everything
	cmake --preset release -DISTHMUS_BENCHMARKS=ON
	cmake --build --preset release -j $(JOBS)
	$(BUILD)/tests/bench/benchmarks

reality: everything
	tests/reality/run.sh --build $(BUILD)

program:
	@.ci/install-packages
	cmake --preset release
	cmake --build --preset release -j $(JOBS) --target isthmus

everything:
	@.ci/install-packages figures test
	cmake --preset release
	cmake --build --preset release -j $(JOBS)

clean:
	rm -rf build build-*
