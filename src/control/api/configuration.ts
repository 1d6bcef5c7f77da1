import type { FastifyInstance } from 'fastify';
import { ConfigurationState } from '../contract/configuration.ts';
import type { ControlDeps } from '../ports.ts';

export function serveConfiguration(app: FastifyInstance, { configuration }: ControlDeps): void {
  app.get(
    '/api/v1/configuration',
    {
      config: { permission: ['admin'], summary: 'The configuration in force, without secrets' },
      schema: { response: { 200: ConfigurationState } },
    },
    (): ConfigurationState => {
      return configuration;
    },
  );
}
