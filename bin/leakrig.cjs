#!/usr/bin/env node
'use strict'
require('./requirements.cjs').require()
import('../harness/cli/leakrig.ts')
