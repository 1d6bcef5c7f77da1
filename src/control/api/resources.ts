import type { FastifyInstance } from 'fastify';
import { ResourceList } from '../contract/resources.ts';
import { personOf } from '../permission.ts';
import type { ControlDeps } from '../ports.ts';

export function serveResources(app: FastifyInstance, deps: ControlDeps): void {
  app.get(
    '/api/v1/resources',
    {
      config: {
        permission: 'signed-in',
        by: ['browser', 'command_line', 'service'],
        summary: 'What the policy may let me reach',
      },
      schema: { response: { 200: ResourceList } },
    },
    async (request): Promise<ResourceList> => {
      const { principal, scope } = personOf(request).session;
      const { policy, resourceByName } = deps.snapshot();
      return {
        resources: [...resourceByName.values()]
          .filter((resource) => scope?.includes(resource.name) !== false && policy.mayReach(principal, resource))
          .map((resource) => ({
            name: resource.name,
            protocol: resource.protocol,
            title: resource.title,
            description: resource.description ?? null,
            url: resource.protocol === 'http' ? `${resource.origin}/` : null,
            leaseOnly: policy.leasesOnly(principal, resource),
            tags: [...resource.tags],
            owner: resource.owner ?? deps.contact ?? null,
          }))
          .sort((a, b) => a.title.localeCompare(b.title)),
      };
    },
  );
}
