import { mount } from 'svelte';
import './shell/tokens.css';
import './shell/base.css';
import App from './shell/App.svelte';
import { i18n } from './i18n/index.svelte';
import { router } from './shell/rooms.svelte';
import { appearance } from './shell/theme.svelte';
import { session } from './shell/session.svelte';
import { shortcuts } from './shell/shortcuts.svelte';

i18n.start();
appearance.start();
shortcuts.start();
router.start();
void session.resume();

const target = document.getElementById('app');
if (target) mount(App, { target });
