// Following an API server whose etcd lets it begin a stream with what is there.
import { needs } from '../needs.ts';
import { testFollowing } from './following-cases.ts';

testFollowing(needs('apiserver'), {});
