#!/usr/bin/env node
'use strict'
require('./requirements.cjs').require()
import('./leakrig.ts')
