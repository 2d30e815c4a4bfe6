#!/usr/bin/env node
import '../dist/tsbpf.js'
